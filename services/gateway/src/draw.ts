/** 32 bits of a name (FNV-1a). */
export function drawOf(name: string): number {
  let draw = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) draw = Math.imul(draw ^ name.charCodeAt(i), 0x01000193);
  return draw;
}

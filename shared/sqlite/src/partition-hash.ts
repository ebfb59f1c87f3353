const encoder = new TextEncoder();

/** Stored beside the partition count: a log whose keys were spread by another hash must not be opened. */
export const PARTITION_HASH = 'fnv1a-32-fmix';

/** FNV-1a (32 bits) over the key's UTF-8, finished with MurmurHash3's fmix32 so that every bit of the key reaches the low ones. */
export function partitionHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code > 0x7f) return finish(hashBytes(encoder.encode(key)));
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return finish(hash);
}

function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

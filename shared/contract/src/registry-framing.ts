/** How a registry's clients frame a record: a zero byte, the schema's id (4 bytes, big-endian), the Avro body. */
const HEADER_BYTES = 5;
const MAGIC = 0;

export function frame(schemaId: number, body: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + body.byteLength);
  framed.writeUInt8(MAGIC, 0);
  framed.writeInt32BE(schemaId, 1);
  framed.set(body, HEADER_BYTES);
  return framed;
}

/** The schema's id and the body; undefined when the value is not framed. */
export function unframe(value: Uint8Array): { schemaId: number; body: Buffer } | undefined {
  if (value.byteLength < HEADER_BYTES || value[0] !== MAGIC) return undefined;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { schemaId: bytes.readInt32BE(1), body: bytes.subarray(HEADER_BYTES) };
}

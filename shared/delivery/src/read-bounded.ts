import type { Readable } from 'node:stream';

/** The whole body, or undefined once it is known to be larger than `most` bytes; the rest is then not read. */
export async function readBounded(body: Readable, announced: number, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (announced <= most) {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > most) return undefined; // leaving the loop ends the stream
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
  body.on('error', () => {}).destroy();
  return undefined;
}

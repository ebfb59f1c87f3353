import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { EventArchive } from '@retrigger/ports/event-archive.ts';

/** Compressed files in a folder, for their owner only. V2: each is written and synced under another name first. */
export const folderArchive = (folder: string): EventArchive => ({
  async write(name, lines) {
    const path = join(folder, name);
    const draft = `${path}.draft`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await pipeline(Readable.from(ended(lines)), createGzip(), createWriteStream(draft, { mode: 0o600, flush: true }));
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    const directory = await open(dirname(path), 'r');
    await directory.sync().finally(() => directory.close());
  },
});

/** The lines of such a file. @throws when it is none, or ends early. */
export async function* archivedLines(path: string): AsyncGenerator<string, void> {
  const unzipped = createGunzip();
  const piped = pipeline(createReadStream(path), unzipped);
  piped.catch(() => {}); // told below
  for await (const line of createInterface({ input: unzipped, crlfDelay: Number.POSITIVE_INFINITY })) yield line;
  await piped;
}

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const line of lines) yield `${line}\n`;
}

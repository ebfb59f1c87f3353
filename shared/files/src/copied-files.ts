import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file by its name inside a folder, and what it holds. */
export type CopiedFile = { name: string; bytes: number; sha256: string };

/** Makes an empty file that its owner alone can read, and the folders to it. */
export async function reserveFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await (await open(path, 'wx', 0o600)).close();
}

/** Copies a file, for its owner only, synced. */
export async function copyFileTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await pipeline(createReadStream(from), createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }));
}

/** What a file of the folder holds; undefined when it is not there. */
export async function describeFile(folder: string, name: string): Promise<CopiedFile | undefined> {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), new Writable({ write: (chunk, _, done) => done(void hash.update(chunk)) }));
  return { name, bytes: found.size, sha256: hash.digest('hex') };
}

/** The names of all files in a folder and those inside it, with slashes; none when there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(noneWhenMissing);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((path) => path.slice(folder.length + 1).replaceAll('\\', '/')).toSorted();
}

/** Whether nothing is in the folder, or there is none. */
export const isEmptyFolder = async (folder: string): Promise<boolean> => (await readdir(folder).catch(noneWhenMissing)).length === 0;

function noneWhenMissing(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** The names in a folder last as long as the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}

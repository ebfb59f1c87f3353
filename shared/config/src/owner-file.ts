import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type OwnerFile = { kind: 'kept'; text: string; made: boolean } | { kind: 'unusable'; message: string };

/**
 * A text that is made once and kept in the folder (made when missing), for its owner only (0600).
 * K1: whoever starts at the same time gets the same text: the file appears under its name whole, or not at all.
 * K2: what is there and is not `valid` is an error, never made anew: a new secret would void every key that was given out.
 */
export async function keptOnce(folder: string, name: string, make: () => string, valid: (text: string) => boolean): Promise<OwnerFile> {
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await read(path);
    const made = found === undefined && (await place(folder, path, make()));
    const text = found ?? (await read(path)) ?? '';
    if (!valid(text)) return { kind: 'unusable', message: `${path} does not hold what was written there; restore it from a backup` }; // K2
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    return { kind: 'kept', text, made };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    return { kind: 'unusable', message: `${path} can not be read or written (${code})` };
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trimEnd();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** K1: written and synced under a name of its own, then linked, which fails when somebody was first. Returns whether this one stands. */
async function place(folder: string, path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    await file.writeFile(`${text}\n`);
    await file.sync();
    await file.close();
    await link(draft, path);
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

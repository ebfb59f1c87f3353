import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FIRST_KEY_FILE } from '@retrigger/config/first-key.ts';
import { SECRET_FILE } from '@retrigger/config/server-secret.ts';
import type { CopiedFile } from '@retrigger/files/copied-files.ts';

/** Written last: a folder without it is no backup. */
export const MANIFEST = 'backup.json';

/** Whoever has these can open personal data and make API keys: they stand in a folder of their own, to be kept apart. */
export const KEYS_FOLDER = 'keys';
export const KEY_FILES = ['keys.db', SECRET_FILE, FIRST_KEY_FILE];

/** There while a data folder is being restored, and in one whose restore was stopped half-way. */
export const RESTORING = 'restoring';

/** Names of files are those inside the backup. */
export type Manifest = { format: 1; takenAt: string; files: CopiedFile[] };

/** What the folder says of itself; undefined when it is no backup that was finished. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const read: Partial<Manifest> = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'));
    return read.format === 1 && Array.isArray(read.files) && read.files.every(isPlain) ? (read as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** No name leads out of the folder. */
const isPlain = ({ name }: CopiedFile): boolean =>
  typeof name === 'string' && name.split('/').every((part) => !['', '.', '..'].includes(part));

/** Where a file of the data folder stands in a backup, and the other way round. */
export const nameInBackup = (name: string): string => (KEY_FILES.includes(name) ? `${KEYS_FOLDER}/${name}` : name);
export const nameInData = (name: string): string => (name.startsWith(`${KEYS_FOLDER}/`) ? name.slice(KEYS_FOLDER.length + 1) : name);

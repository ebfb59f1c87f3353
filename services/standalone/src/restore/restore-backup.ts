import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { copyFileTo, describeFile, filesIn, syncFolder } from '@retrigger/files/copied-files.ts';
import { KEYS_FOLDER, nameInData, RESTORING, readManifest } from '../backup/backup-format.ts';

/** `why`: nothing was written then. */
export type RestoredBackup = { kind: 'restored'; takenAt: string; files: number } | { kind: 'refused'; why: string };

/**
 * Makes a data folder of a backup. The folder is empty and nobody else's meanwhile.
 * V1: what is missing or altered in the backup is found before anything is written. V2: whatever stops the copying, the folder does not start: `restoring` stands
 * in it from before the first file until after the last is on the disk.
 * @throws what the file system says.
 */
export async function restoreBackup(folder: string, dataDir: string): Promise<RestoredBackup> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) return { kind: 'refused', why: `${folder} is no backup that was finished` };
  for (const { name, bytes, sha256 } of manifest.files) {
    const found = await describeFile(folder, name); // V1
    if (found === undefined)
      return {
        kind: 'refused',
        why: `${join(folder, name)} is missing${name.startsWith(`${KEYS_FOLDER}/`) ? ': put it back from where you keep the keys' : ''}`,
      };
    if (found.bytes !== bytes || found.sha256 !== sha256)
      return { kind: 'refused', why: `${join(folder, name)} is not what was backed up` };
  }
  const mark = join(dataDir, RESTORING);
  await writeFile(mark, `${manifest.takenAt}\n`, { flush: true }); // V2
  await syncFolder(dataDir);
  for (const { name } of manifest.files) await copyFileTo(join(folder, name), join(dataDir, nameInData(name)));
  const folders = (await filesIn(dataDir)).map((name) => dirname(join(dataDir, name)));
  await Promise.all([...new Set(folders)].map(syncFolder));
  await rm(mark);
  await syncFolder(dataDir);
  return { kind: 'restored', takenAt: manifest.takenAt, files: manifest.files.length };
}

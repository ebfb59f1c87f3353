import { statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { DATA_FOLDER } from '@retrigger/config/variables.ts';
import { restoreArchive, tellRestored } from '@retrigger/engine/restore-events.ts';
import { filesIn } from '@retrigger/files/copied-files.ts';
import { archivedLines } from '@retrigger/files/folder-archive.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { RESTORING } from '../backup/backup-format.ts';
import { restoreBackup } from './restore-backup.ts';

type Told = { isDone: boolean; message: string };

const refused = (message: string): Told => ({ isDone: false, message: `retrigger: ${message}` });
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * A file is an archive: its events go back into the data folder. A folder is a backup: a data folder that holds nothing yet is made of it. No other process may
 * use the data folder meanwhile. Says what came of it; `isDone`: it was put back.
 */
export async function restore(path: string | undefined, environment: Environment): Promise<Told> {
  if (path === undefined) return refused('npm run restore -- FOLDER (a backup), or FILE (an archive)');
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return refused(`there is no ${path}`);
  const read = readEnvironment(environment, DATA_FOLDER);
  if (read.kind === 'wrong') return refused(read.message);
  const { dataDir } = read.settings;
  const lock = lockDataFolder(dataDir);
  if (lock.kind === 'taken') return refused(`another process uses the data folder ${dataDir}: stop it first`);
  if (lock.kind === 'unwritable') return refused(`the data folder ${dataDir} can not be used (${lock.reason})`);
  try {
    return await (found.isDirectory() ? fromBackup(path, dataDir) : fromArchive(path, dataDir));
  } finally {
    lock.release();
  }
}

async function fromBackup(folder: string, dataDir: string): Promise<Told> {
  const there = (await filesIn(dataDir)).filter((name) => !name.startsWith('lock.db'));
  if (there.length > 0) return refused(`the data folder ${dataDir} is not empty: set RETRIGGER_DATA_DIR to a new one, or move it away`);
  try {
    const restored = await restoreBackup(folder, dataDir);
    if (restored.kind === 'refused') return refused(`${restored.why}. Nothing was restored`);
    return { isDone: true, message: `${dataDir} is as it was at ${restored.takenAt} (${restored.files} files)` };
  } catch (error) {
    const written = (await filesIn(dataDir)).filter((name) => !name.startsWith('lock.db') && name !== RESTORING);
    for (const name of [...written, RESTORING]) await rm(join(dataDir, name), { force: true }); // V2
    return refused(`${folder} was not restored: ${reasonOf(error)}. Nothing was left in ${dataDir}`);
  }
}

async function fromArchive(file: string, dataDir: string): Promise<Told> {
  const store = openSqliteStore(join(dataDir, 'store.db'), unobserved);
  try {
    return tellRestored(file, await restoreArchive(store, () => archivedLines(file)));
  } catch (error) {
    return refused(`${file} can not be read: ${reasonOf(error)}`);
  } finally {
    await store.close();
  }
}

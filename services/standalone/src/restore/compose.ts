import { join } from 'node:path';
import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { DATA_FOLDER } from '@retrigger/config/variables.ts';
import { restoreArchive, tellRestored } from '@retrigger/engine/restore-events.ts';
import { archivedLines } from '@retrigger/files/folder-archive.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { lockDataFolder } from '@retrigger/sqlite/data-folder-lock.ts';
import { openSqliteStore } from '@retrigger/sqlite/sqlite-store.ts';

/** Puts an archive's events back into the data folder, which no other process may use meanwhile. Says what came of it; `isDone`: it was put back. */
export async function restore(path: string | undefined, environment: Environment): Promise<{ isDone: boolean; message: string }> {
  const refused = (message: string) => ({ isDone: false, message: `retrigger: ${message}` });
  if (path === undefined) return refused('npm run restore -- FILE');
  const read = readEnvironment(environment, DATA_FOLDER);
  if (read.kind === 'wrong') return refused(read.message);
  const { dataDir } = read.settings;
  const lock = lockDataFolder(dataDir);
  if (lock.kind === 'taken') return refused(`another process uses the data folder ${dataDir}: stop it first`);
  if (lock.kind === 'unwritable') return refused(`the data folder ${dataDir} can not be used (${lock.reason})`);
  const store = openSqliteStore(join(dataDir, 'store.db'), unobserved);
  try {
    return tellRestored(path, await restoreArchive(store, () => archivedLines(path)));
  } catch (error) {
    return refused(`${path} can not be read: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await store.close();
    lock.release();
  }
}

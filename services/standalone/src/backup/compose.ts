import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { SECRET_FILE } from '@retrigger/config/server-secret.ts';
import { DATA_FOLDER } from '@retrigger/config/variables.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import { copyFileTo, describeFile, filesIn, isEmptyFolder, reserveFile, syncFolder } from '@retrigger/files/copied-files.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { makeFolder } from '@retrigger/sqlite/make-folder.ts';
import { copyKeys, pinAtOnePoint } from '@retrigger/sqlite/pin-at-one-point.ts';
import { sqliteFault } from '@retrigger/sqlite/sqlite-errors.ts';
import { KEY_FILES, MANIFEST, type Manifest, nameInBackup } from './backup-format.ts';

export type Told = { isDone: boolean; message: string };

/**
 * Copies the data folder as it stands at one moment into an empty folder, whether or not the service runs. Says what came of it; `isDone`: the backup is whole
 * and on the disk, else nothing of it is left.
 * U1: log and store are those of one moment (N1 in pin-at-one-point.ts). U2: keys are copied after it, for a key is there before the first record that needs it;
 * one that was erased in between stays erased. U3: so are archives: a file is there before the store says so (V4 in archive-events.ts) and never changes.
 * U4: the manifest comes last, when everything else is on the disk.
 */
export async function backUp(folder: string | undefined, environment: Environment): Promise<Told> {
  const refused = (message: string): Told => ({ isDone: false, message: `retrigger: ${message}` });
  if (folder === undefined) return refused('npm run backup -- FOLDER');
  const read = readEnvironment(environment, DATA_FOLDER);
  if (read.kind === 'wrong') return refused(read.message);
  const { dataDir } = read.settings;
  if (!existsSync(join(dataDir, 'log.db')) || !existsSync(join(dataDir, 'store.db')))
    return refused(`${dataDir} is no data folder that a service has used: set RETRIGGER_DATA_DIR to yours`);
  if (!relative(resolve(dataDir), resolve(folder)).startsWith('..'))
    return refused(`${folder} lies in the data folder ${dataDir}, and would be lost with it: choose another`);
  const wasThere = existsSync(folder);
  try {
    if (!(await isEmptyFolder(folder))) return refused(`${folder} is not empty: a backup wants a folder of its own`);
    makeFolder(folder);
    return { isDone: true, message: tell(folder, dataDir, await copyAll(dataDir, folder)) };
  } catch (error) {
    for (const name of wasThere ? await filesIn(folder).catch(() => []) : []) await rm(join(folder, name), { force: true });
    if (!wasThere) await rm(folder, { recursive: true, force: true });
    return refused(`${dataDir} was not backed up: ${reasonOf(error, folder)}. Nothing was left in ${folder}`);
  }
}

async function copyAll(dataDir: string, folder: string): Promise<Manifest> {
  const place = async (name: string): Promise<string> => {
    const path = join(folder, nameInBackup(name));
    await reserveFile(path);
    return path;
  };
  const [logPath, storePath] = [await place('log.db'), await place('store.db')];
  const takenAt = formatInstant(systemClock.now()); // what is acknowledged by then is in it
  const pinned = pinAtOnePoint(join(dataDir, 'log.db'), join(dataDir, 'store.db')); // U1
  try {
    await pinned.copyLog(logPath);
    await pinned.copyStore(storePath);
  } finally {
    pinned.release();
  }
  for (const name of KEY_FILES) {
    if (!existsSync(join(dataDir, name))) continue;
    if (name.endsWith('.db'))
      await copyKeys(join(dataDir, name), await place(name)); // U2
    else await copyFileTo(join(dataDir, name), join(folder, nameInBackup(name)));
  }
  for (const name of await filesIn(join(dataDir, 'archive'))) {
    if (!name.endsWith('.draft')) await copyFileTo(join(dataDir, 'archive', name), join(folder, 'archive', name)); // U3
  }
  const names = await filesIn(folder);
  const described = await Promise.all(names.map((name) => describeFile(folder, name)));
  const manifest: Manifest = { format: 1, takenAt, files: described.filter((file) => file !== undefined) };
  await Promise.all([...new Set(names.map((name) => dirname(join(folder, name))))].map(syncFolder));
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true }); // U4
  await syncFolder(folder);
  return manifest;
}

function tell(folder: string, dataDir: string, { takenAt, files }: Manifest): string {
  const mebibytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1_048_576;
  const lines = [
    `${dataDir} as of ${takenAt} is in ${folder} (${files.length} files, ${mebibytes.toFixed(1)} MiB); npm run restore -- ${folder} makes a data folder of it`,
    `${join(folder, 'keys')} opens personal data and makes API keys: keep it apart from the rest, and no longer than you may take to forget`,
  ];
  if (!files.some(({ name }) => name === nameInBackup(SECRET_FILE)))
    lines.push('The server secret is not in it: keep RETRIGGER_SECRET, without it no key opens anything');
  return lines.join('\n');
}

function reasonOf(error: unknown, folder: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || sqliteFault(error).code === 'disk_full') return `the disk of ${folder} is full`;
  if (sqliteFault(error).code === 'busy') return 'somebody holds its files; try again';
  return error instanceof Error ? error.message : String(error);
}

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './make-folder.ts';
import { sqliteFault } from './sqlite-errors.ts';

export type DataFolderLock = { kind: 'locked'; release(): void } | { kind: 'taken' } | { kind: 'unwritable'; reason: string };

/** Connections of held locks: one that nobody refers to would be closed by the garbage collector, and its lock be lost. */
const held = new Set<DatabaseSync>();

/**
 * Makes the folder if needed, for its owner alone, and holds it for this process alone.
 * F1: two processes never hold one folder. F2: the lock dies with its process, also by kill -9: the operating system drops the file's lock.
 * Not for folders on network file systems, whose locks can't be trusted.
 */
export function lockDataFolder(folder: string): DataFolderLock {
  let db: DatabaseSync | undefined;
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    db = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE'); // F1
  } catch (error) {
    db?.close();
    if (sqliteFault(error).code === 'busy') return { kind: 'taken' };
    return { kind: 'unwritable', reason: error instanceof Error ? error.message : String(error) };
  }
  const connection = db;
  held.add(connection); // F2
  const release = (): void => {
    if (held.delete(connection)) connection.close();
  };
  return { kind: 'locked', release };
}

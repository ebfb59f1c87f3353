import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync } from 'node:fs';
import { Checkpoints } from './checkpoints.ts';

/** Brings what was committed onto the disk. */
export type WalSync = {
  /** In the background: other work goes on, more transactions are committed meanwhile. @throws what the file system says; the file can't be trusted after that. */
  start(): Promise<void>;
  /** After a sync. Nearly always undefined; now and then until when no transaction may begin (H1 in checkpoints.ts). */
  calm(): Promise<void> | undefined;
  /** At once. */
  now(): void;
  close(): void | Promise<void>;
};

/**
 * The fsync of a database's write-ahead log, off the main thread. SQLite itself would do it inside COMMIT (`synchronous = FULL`), where it stops everything else:
 * 37 % of the process's time under load. With `NORMAL` a COMMIT only writes the log, whose order SQLite keeps, and everybody is told when this has synced it: the
 * same promise, and one sync serves all transactions that were committed while the one before ran. Checkpoints sync by themselves.
 */
export function walSync(databasePath: string): WalSync {
  let opened: number | undefined;
  const descriptor = (): number => {
    opened ??= openSync(`${databasePath}-wal`, 'r+'); // exists since the first transaction, and stays until the database is closed
    return opened;
  };
  const checkpoints = new Checkpoints(databasePath);
  return {
    start: () => new Promise((resolve, reject) => fdatasync(descriptor(), (error) => (error === null ? resolve() : reject(error)))),
    calm: () => checkpoints.synced(() => fstatSync(descriptor()).size),
    now: () => fdatasyncSync(descriptor()),
    async close() {
      if (opened !== undefined) closeSync(opened);
      opened = undefined;
      await checkpoints.close();
    },
  };
}

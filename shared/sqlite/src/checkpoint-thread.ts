import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** `look`: copy when it pays. `copy`: copy whatever is not copied. `end`: leave the file and this thread. */
export type CheckpointAsk = 'look' | 'copy' | 'end';

/** Pages in the write-ahead log, and how many of them stand in the file too. */
export type CheckpointAnswer = { pages: number; copied: number };

export type CheckpointOrder = { path: string; copyFrom: number; long: number; few: number };

/** While transactions go on, each copy leaves fewer than the one before. */
const MOST_COPIES = 5;

const { path, copyFrom, long, few } = workerData as CheckpointOrder;
const db = new DatabaseSync(path);
db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
db.prepare('SELECT count(*) FROM sqlite_schema').get(); // a connection that has read nothing yet knows of no write-ahead log
const noop = db.prepare('PRAGMA wal_checkpoint(NOOP)');
const passive = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');

function seen(): CheckpointAnswer {
  const { log, checkpointed } = noop.get() ?? {};
  return { pages: Number(log), copied: Number(checkpointed) };
}

function look(): CheckpointAnswer {
  let now = seen();
  for (let copies = 0; copies < MOST_COPIES; copies++) {
    const left = now.pages - now.copied;
    if (left < copyFrom && (now.pages < long || left <= few)) break;
    passive.get();
    now = seen();
  }
  return now;
}

parentPort?.on('message', (ask: CheckpointAsk) => {
  if (ask === 'end') {
    db.close();
    parentPort?.close();
    return;
  }
  if (ask === 'copy') passive.get();
  parentPort?.postMessage(ask === 'copy' ? seen() : look());
});

import { DatabaseSync } from 'node:sqlite';

/** How long a statement waits for another process's lock, e.g. a backup's. */
const BUSY_TIMEOUT_MS = 5_000;

/** Pages (4 KiB) in the write-ahead log before a COMMIT copies them into the file itself, for where nobody else does: see checkpoints.ts. */
const CHECKPOINT_PAGES = 16_000;

/**
 * Small on purpose. A transaction that splits pages not in the file's order has SQLite look through its whole cache at COMMIT, so a large one costs each of them: with
 * 64 MiB a trigger's writes took 130 µs of processor time in transactions of 10, with 8 MiB 70. What is not in it is read from the system's own.
 */
const CACHE_KIB = 8_192;

/**
 * Opens a database file and brings its schema up to date. D1: a COMMIT writes the write-ahead log and does not wait for the disk; GroupCommit does, before it
 * tells anybody (see wal-sync.ts).
 * `migrations[i]` takes the schema from version i to i + 1; each is one transaction. Released ones never change.
 * @throws Error when the file was written by a newer version, or SQLite's error (see sqlite-errors.ts).
 */
export function openDatabase(path: string, migrations: string[]): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = NORMAL'); // D1
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
    migrate(db, path, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens a small file from which what is deleted vanishes. D2: deleted content is overwritten with zeros, nothing is left in a write-ahead log, and a COMMIT
 * waits for the disk, also for the journal's removal.
 * @throws like `openDatabase`.
 */
export function openErasableDatabase(path: string, migrations: string[]): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY'); // D2
    migrate(db, path, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: DatabaseSync, path: string, migrations: string[]): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
  if (version > migrations.length) {
    throw new Error(`${path} has schema version ${version}; this version of the program knows ${migrations.length}`);
  }
  for (const [index, migration] of migrations.slice(version).entries()) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(migration);
      db.exec(`PRAGMA user_version = ${version + index + 1}`);
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    }
  }
}

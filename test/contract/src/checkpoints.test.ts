import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { GroupCommit } from '@retrigger/sqlite/group-commit.ts';
import { openDatabase } from '@retrigger/sqlite/open-database.ts';
import { walSync } from '@retrigger/sqlite/wal-sync.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const MIB = 1_048_576;
const MIGRATIONS = ['CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT'];
/** A megabyte a transaction. */
const TEXT = 'x'.repeat(MIB / 8);
const ROWS = 8;

/** SQLite's own checkpoints are off, so whatever is copied the thread has copied. */
function open(path: string): { db: DatabaseSync; commit: GroupCommit; write(first: number): Promise<unknown> } {
  const db = openDatabase(path, MIGRATIONS);
  db.exec('PRAGMA wal_autocheckpoint = 0');
  const commit = new GroupCommit(db, walSync(path));
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
  const write = (first: number) => commit.submit(() => Array.from({ length: ROWS }, (_, i) => insert.run(first + i, TEXT)));
  return { db, commit, write };
}

const count = (db: DatabaseSync): unknown => db.prepare('SELECT count(*) AS n, max(id) AS last FROM t').get();

describe('the write-ahead log of a database that is written to all the time', { timeout: 60_000 }, () => {
  test('is copied beside the transactions and begins anew, and nothing is lost (H1)', async () => {
    const path = join(temporaryFolder(), 'test.db');
    const { db, commit, write } = open(path);
    for (let transaction = 0; transaction < 120; transaction++) await write(transaction * ROWS);
    expect(statSync(`${path}-wal`).size).toBeLessThan(100 * MIB);
    expect(statSync(path).size).toBeGreaterThan(30 * MIB);
    await commit.close();
    db.close();
    const again = openDatabase(path, MIGRATIONS);
    onTestFinished(() => again.close());
    expect(count(again)).toEqual({ n: 120 * ROWS, last: 120 * ROWS - 1 });
  });

  test('keeps a process alive that has nothing else to do until all is written (H3)', async () => {
    const path = join(temporaryFolder(), 'test.db');
    const child = join(import.meta.dirname, 'writes-only-child.ts');
    await promisify(execFile)(process.execPath, [child, path, '120']);
    const db = openDatabase(path, MIGRATIONS);
    onTestFinished(() => db.close());
    expect(count(db)).toEqual({ n: 120, last: 119 });
  });

  test('grows while somebody still reads an old state, and begins anew after that', async () => {
    const path = join(temporaryFolder(), 'test.db');
    const { db, commit, write } = open(path);
    onTestFinished(() => db.close());
    await write(0);
    const reader = openDatabase(path, MIGRATIONS);
    onTestFinished(() => reader.close());
    reader.exec('BEGIN');
    expect(count(reader)).toEqual({ n: ROWS, last: ROWS - 1 });
    for (let transaction = 1; transaction < 60; transaction++) await write(transaction * ROWS);
    expect(count(reader)).toEqual({ n: ROWS, last: ROWS - 1 });
    const grown = statSync(`${path}-wal`).size;
    expect(grown).toBeGreaterThan(55 * MIB);
    reader.exec('COMMIT');
    const pages = (): number => Number(reader.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.log);
    let transactions = 60;
    for (let before = 0; before <= pages() && transactions < 600; transactions++) {
      before = pages();
      await write(transactions * ROWS);
    }
    expect(transactions).toBeLessThan(600);
    expect(count(reader)).toEqual({ n: transactions * ROWS, last: transactions * ROWS - 1 });
    await commit.close();
  });
});

import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { GroupCommit, type Rider } from '@retrigger/sqlite/group-commit.ts';
import { openDatabase } from '@retrigger/sqlite/open-database.ts';
import { sqliteFault } from '@retrigger/sqlite/sqlite-errors.ts';
import { type WalSync, walSync } from '@retrigger/sqlite/wal-sync.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

function open(
  rider: Rider = {},
  replaced: Partial<WalSync> = {},
  lost?: (error: unknown) => void,
): {
  db: DatabaseSync;
  commit: GroupCommit;
  insert(id: number, text?: string): Promise<number>;
  ids(): number[];
} {
  const path = join(temporaryFolder(), 'test.db');
  const db = openDatabase(path, ['CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT']);
  onTestFinished(() => db.close());
  const sync = { ...walSync(path), ...replaced };
  onTestFinished(() => sync.close());
  const commit = new GroupCommit(db, sync, rider, lost);
  const write = db.prepare('INSERT INTO t VALUES (?, ?)');
  const insert = (id: number, text = ''): Promise<number> => commit.submit(() => Number(write.run(id, text).lastInsertRowid));
  const ids = (): number[] =>
    db
      .prepare('SELECT id FROM t ORDER BY id')
      .all()
      .map(({ id }) => Number(id));
  return { db, commit, insert, ids };
}

describe('group commit', () => {
  test('all writes of one turn of the event loop share one transaction (G1)', async () => {
    let commits = 0;
    const { insert, ids } = open({
      committed() {
        commits++;
        return () => {};
      },
    });
    const written = await Promise.all(Array.from({ length: 100 }, (_, i) => insert(i)));
    expect(written).toEqual(ids());
    expect(commits).toBe(1);
  });

  test('a write is told of after its commit, never before (G1)', async () => {
    const order: string[] = [];
    const { insert } = open({
      beforeCommit: () => order.push('riding'),
      committed() {
        order.push('committed');
        return () => order.push('durable');
      },
    });
    await Promise.all([insert(1).then(() => order.push('told')), insert(2).then(() => order.push('told'))]);
    expect(order).toEqual(['riding', 'committed', 'durable', 'told', 'told']);
  });

  test('a write is told of after its sync, and all that waited meanwhile share the next one (G1)', async () => {
    const syncs: (() => void)[] = [];
    const { insert } = open({}, { start: () => new Promise((resolve) => syncs.push(resolve)) });
    const told: number[] = [];
    const write = (id: number) => insert(id).then(() => told.push(id));
    const turn = () => new Promise(setImmediate);
    const writes = [write(1)];
    await turn();
    await turn();
    expect([syncs.length, told]).toEqual([1, []]);
    writes.push(write(2));
    await turn();
    writes.push(write(3));
    await turn();
    expect([syncs.length, told]).toEqual([1, []]);
    syncs[0]?.();
    await turn();
    expect([syncs.length, told]).toEqual([2, [1]]);
    syncs[1]?.();
    await Promise.all(writes);
    expect(told).toEqual([1, 2, 3]);
  });

  test('while the write-ahead log wants calm no transaction begins; what came meanwhile follows (G4)', async () => {
    let end = (): void => {};
    const calms = [undefined, new Promise<void>((resolve) => (end = resolve))];
    const { insert, ids } = open({}, { calm: () => calms.shift() });
    await insert(1);
    await insert(2);
    const third = insert(3);
    for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
    expect(ids()).toEqual([1, 2]);
    end();
    await third;
    expect(ids()).toEqual([1, 2, 3]);
  });

  test('a sync that fails rejects what it covered and is the end: nothing is synced or told after it (G3)', async () => {
    const lost: unknown[] = [];
    const broken = new Error('the disk is gone');
    const { insert } = open({}, { start: () => Promise.reject(broken) }, (error) => lost.push(error));
    await expect(insert(1)).rejects.toBe(broken);
    expect(lost).toEqual([broken]);
    const told = insert(2).then(() => 'told');
    await new Promise(setImmediate);
    expect(await Promise.race([told, new Promise((resolve) => setImmediate(resolve, 'waits'))])).toBe('waits');
  });

  test('a write that throws leaves nothing and takes nobody with it (G2)', async () => {
    let rollbacks = 0;
    const { insert, commit, db, ids } = open({ rolledBack: () => rollbacks++ });
    const outcomes = await Promise.allSettled([
      insert(1),
      insert(1),
      commit.submit(() => {
        db.exec('INSERT INTO t VALUES (50, NULL)');
        throw new Error('planted');
      }),
      insert(2),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(ids()).toEqual([1, 2]);
    expect(rollbacks).toBe(2);
  });

  test('a full disk fails every write of the transaction, with a code that says so; there is room again later', async () => {
    const { insert, db, ids } = open();
    await insert(1);
    const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count);
    db.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const outcomes = await Promise.allSettled([insert(2), insert(3, 'x'.repeat(100_000)), insert(4)]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && sqliteFault(outcome.reason))).toEqual(
      Array.from({ length: 3 }, () => ({ code: 'disk_full', retry: true, whole: true })),
    );
    expect(ids()).toEqual([1]);
    db.exec('PRAGMA max_page_count = 100000');
    await insert(5);
    expect(ids()).toEqual([1, 5]);
  });

  test('what is submitted after the file was closed is rejected', async () => {
    const { db, commit } = open();
    const path = join(temporaryFolder(), 'other.db');
    const other = openDatabase(path, []);
    const closed = new GroupCommit(other, walSync(path));
    other.close();
    await expect(closed.submit(() => 1)).rejects.toThrow();
    await expect(commit.submit(() => db.isOpen)).resolves.toBe(true);
  });
});

describe('sqlite errors', () => {
  const fault = (run: () => unknown): ReturnType<typeof sqliteFault> => {
    try {
      run();
    } catch (error) {
      return sqliteFault(error);
    }
    throw new Error('nothing was thrown');
  };

  test('each has a stable code, and says whether to retry', () => {
    const { db } = open();
    const path = String(db.prepare('PRAGMA database_list').get()?.file);
    expect(fault(() => db.exec('INSERT INTO t VALUES (1, NULL), (1, NULL)'))).toMatchObject({
      code: 'constraint',
      retry: false,
      whole: false,
    });
    expect(fault(() => openDatabase(join(path, 'below-a-file.db'), []))).toMatchObject({ code: 'unavailable', whole: true });
    db.exec('PRAGMA query_only = 1');
    expect(fault(() => db.exec('DELETE FROM t'))).toMatchObject({ code: 'read_only', retry: false });
    expect(sqliteFault(Object.assign(new Error('locked'), { errcode: 5 }))).toMatchObject({ code: 'busy', retry: true });
    expect(sqliteFault(Object.assign(new Error('malformed'), { errcode: 11 | (1 << 8) }))).toMatchObject({ code: 'corrupt', retry: false });
  });

  test('whatever SQLite did not throw is a bug', () => {
    expect(sqliteFault(new TypeError('planted'))).toEqual({ code: 'misuse', retry: false, whole: false });
    expect(sqliteFault(undefined)).toEqual({ code: 'misuse', retry: false, whole: false });
  });

  test('a file of a newer version is refused, naming both versions', () => {
    const path = join(temporaryFolder(), 'newer.db');
    openDatabase(path, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']).close();
    expect(() => openDatabase(path, ['CREATE TABLE a (x)'])).toThrow(/schema version 2.*knows 1/);
  });

  test('an older file is brought up to date, and only by what it lacks', () => {
    const path = join(temporaryFolder(), 'older.db');
    openDatabase(path, ['CREATE TABLE a (x)']).close();
    const db = openDatabase(path, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']);
    onTestFinished(() => db.close());
    expect(db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table'").get()?.n).toBe(2);
    expect(db.prepare('PRAGMA synchronous').get()?.synchronous).toBe(1);
  });

  test('a file that takes no writes says so, until it takes one again, whoever writes it', async () => {
    const { db, commit, insert, ids } = open();
    expect(await commit.isWritable()).toBe(true);
    db.exec('PRAGMA query_only = ON');
    await expect(insert(1)).rejects.toThrow('readonly');
    expect(await commit.isWritable()).toBe(false);
    db.exec('PRAGMA query_only = OFF');
    expect(await commit.isWritable()).toBe(true);
    expect([ids(), db.prepare('PRAGMA user_version').get()]).toEqual([[], { user_version: 1 }]);
  });

  test('a write that is wrong by itself says nothing about the file', async () => {
    const { commit, insert } = open();
    await insert(1);
    await expect(insert(1)).rejects.toThrow('UNIQUE');
    expect(await commit.isWritable()).toBe(true);
  });
});

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { VirtualClock } from '@retrigger/memory/virtual-clock.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { PARTITION_HASH, partitionHash } from '@retrigger/sqlite/partition-hash.ts';
import { openSqliteLog, type SqliteLog } from '@retrigger/sqlite/sqlite-log.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from './eventually.ts';
import { RecordingHandler, textRecord } from './recording-handler.ts';
import { temporaryFolder } from './temporary-folder.ts';

const START = 1_772_000_000_000;
const DEADLINE_MS = 20_000;

function opener(): { path: string; clock: VirtualClock; open(clock?: VirtualClock): SqliteLog } {
  const path = join(temporaryFolder(), 'log.db');
  const clock = new VirtualClock(START);
  return {
    path,
    clock,
    open(its = clock) {
      const opened = openSqliteLog(path, { topic: 1, other: 1 }, its, unobserved);
      if (opened.kind === 'mismatch') throw new Error('mismatch');
      onTestFinished(() => opened.log.close());
      return opened.log;
    },
  };
}

const append = async (log: SqliteLog, count: number, topic = 'topic'): Promise<void> => {
  for (let i = 0; i < count; i++) await log.append(topic, [textRecord('tenant/task', String(i))]);
};

/** Everything that a new group sees, having waited for `count` records. */
async function seen(log: SqliteLog, group: string, count: number): Promise<RecordingHandler> {
  const handler = new RecordingHandler();
  const consumer = await log.consume('topic', group, handler);
  await eventually(`${count} records`, DEADLINE_MS, () => handler.records.length >= count);
  await consumer.stop();
  return handler;
}

describe('sqlite log', () => {
  test('a reader gets the same records whether they are remembered or read from the file, also across the place where that changes (R1)', async () => {
    const { clock, open } = opener();
    const log = open();
    const large = Array.from({ length: 40 }, (_, i) => ({
      ...textRecord('tenant/task', `${i} ${'x'.repeat(30_000)}`),
      headers: i % 2 ? { i: String(i) } : {},
    }));
    for (const record of large) await log.append('topic', [record]); // more than twice of what is remembered
    const read = (await seen(log, 'first', 40)).records;
    expect(read.map(({ offset, at, topic, partition }) => [offset, at, topic, partition])).toEqual(
      Array.from({ length: 40 }, (_, i) => [i, clock.now(), 'topic', 0]),
    );
    expect(read.map(({ value, headers }) => [Buffer.from(value).toString(), headers])).toEqual(
      large.map(({ value, headers }) => [Buffer.from(value).toString(), headers]),
    );
    await log.close();
    const again = (await seen(open(), 'second', 40)).records;
    expect(again.map((record) => ({ ...record, value: Buffer.from(record.value) }))).toEqual(
      read.map((record) => ({ ...record, value: Buffer.from(record.value) })),
    );
  });

  test('a topic that was made with another partition count is a mismatch that names both (P1)', async () => {
    const { path, clock, open } = opener();
    await open().close();
    expect(openSqliteLog(path, { topic: 2 }, clock, unobserved)).toEqual({
      kind: 'mismatch',
      topic: 'topic',
      stored: { partitions: 1, hash: PARTITION_HASH },
      wanted: { partitions: 2, hash: PARTITION_HASH },
    });
  });

  test('a topic whose keys were spread by another hash is a mismatch that names both (P1)', async () => {
    const { path, clock, open } = opener();
    await open().close();
    const db = new DatabaseSync(path);
    db.exec("UPDATE topics SET hash = 'older'");
    db.close();
    expect(openSqliteLog(path, { topic: 1 }, clock, unobserved)).toMatchObject({ kind: 'mismatch', stored: { hash: 'older' } });
  });

  test('the hash of a key never changes', () => {
    const keys = ['', 'a', 'tenant/task', 'tenant/task-1', 'ünïcode/🚀'];
    // computed independently from the definitions of FNV-1a and fmix32
    expect(keys.map((key) => partitionHash(key))).toEqual([2872998923, 444641715, 3567373133, 831594907, 3432005721]);
  });

  test('append time is the clock’s, and never goes back, also when the clock does, also across restarts (L3)', async () => {
    const { clock, open } = opener();
    const first = open();
    await append(first, 1);
    await clock.advance(500);
    await append(first, 1);
    await first.close();
    const second = open(new VirtualClock(START - 3_600_000));
    await append(second, 1);
    expect((await seen(second, 'group', 3)).records.map(({ at }) => at)).toEqual([START, START + 500, START + 500]);
  });

  test('a handler gets at most 500 records or 512 KiB at once', async () => {
    const { open } = opener();
    const log = open();
    const large = new Uint8Array(200 * 1024);
    await log.append('topic', [
      ...Array.from({ length: 1_200 }, (_, i) => textRecord('tenant/task', String(i))),
      ...Array.from({ length: 5 }, () => ({ key: 'tenant/task', value: large, headers: {} })),
    ]);
    const { batches } = await seen(log, 'group', 1_205);
    expect(batches.map(({ records }) => records.length)).toEqual([500, 500, 203, 2]);
  });

  test('committed offsets survive a clean stop, and a lost process after a moment of idleness (O1)', async () => {
    const { path, clock, open } = opener();
    const log = open();
    await append(log, 3);
    const consumer = await log.consume('topic', 'group', new RecordingHandler());
    await eventually('everything committed', DEADLINE_MS, async () => (await log.lag('topic', 'group')) === 0);
    const db = new DatabaseSync(path, { readOnly: true });
    onTestFinished(() => db.close());
    const stored = (): unknown => db.prepare('SELECT next FROM offsets').get()?.next;
    await clock.advance(100);
    expect(stored()).toBe(3);
    await append(log, 2);
    await eventually('everything committed again', DEADLINE_MS, async () => (await log.lag('topic', 'group')) === 0);
    await consumer.stop();
    expect(stored()).toBe(5);
  });
});

describe('sqlite log: records with a header', () => {
  test('are told from a time on, in the order of their appends, of one topic, across a restart', async () => {
    const { clock, open } = opener();
    const first = open();
    const send = (log: SqliteLog, text: string, header?: string, topic = 'topic') =>
      log.append(topic, [{ ...textRecord(`tenant/${text}`, text), headers: header === undefined ? {} : { charged: header, a: 'b' } }]);
    await send(first, 'old', '9');
    await clock.advance(1_000);
    for (let i = 0; i < 50; i++) await send(first, `plain-${i}`);
    await send(first, 'one', '1');
    await send(first, 'elsewhere', '1', 'other');
    await first.close();
    await clock.advance(1_000);
    const log = open();
    await send(log, 'two', '200');
    const told = (since: number) =>
      [...log.withHeader('topic', 'charged', since)].map(({ value, at, header }) => [String(Buffer.from(value)), at, header]);
    expect(told(START + 1)).toEqual([
      ['one', START + 1_000, '1'],
      ['two', START + 2_000, '200'],
    ]);
    expect([told(0).length, told(START + 2_000).length, told(START + 2_001)]).toEqual([3, 1, []]);
  });
});

describe('sqlite log: truncation', () => {
  test('deletes what is old and was passed by every group that ever consumed the topic, and nothing else', async () => {
    const { clock, open } = opener();
    const log = open();
    await append(log, 2_500);
    await seen(log, 'quick', 2_500);
    const slow = new RecordingHandler(async ({ commit }) => void (await commit(2_100)));
    const consumer = await log.consume('topic', 'slow', slow);
    await eventually('the slow group', DEADLINE_MS, () => slow.records.length >= 2_500);
    await consumer.stop();
    await clock.advance(1_000);
    await append(log, 1);
    expect(await log.truncate('topic', START)).toBe(0);
    expect(await log.truncate('topic', START + 1)).toBe(2_100);
    expect((await seen(log, 'new', 401)).records[0]?.offset).toBe(2_100);
    expect(await log.lag('topic', 'never seen')).toBe(401);
  });

  test('a group that consumed but never committed holds everything', async () => {
    const { clock, open } = opener();
    const log = open();
    await append(log, 3);
    const consumer = await log.consume('topic', 'group', new RecordingHandler(async () => {}));
    await consumer.stop();
    await clock.advance(1_000);
    expect(await log.truncate('topic', START + 500)).toBe(0);
  });

  test('offsets and times go on where they were, also after a restart with an empty log (P2)', async () => {
    const { clock, open } = opener();
    const log = open();
    await append(log, 3);
    await seen(log, 'group', 3);
    await clock.advance(1_000);
    expect(await log.truncate('topic', START + 500)).toBe(3);
    await log.close();
    const again = open(new VirtualClock(START - 1_000));
    await append(again, 1);
    const [record] = (await seen(again, 'group', 1)).records;
    expect([record?.offset, record?.at]).toEqual([3, START]);
  });

  test('of a topic that nobody ever consumed, age alone decides', async () => {
    const { clock, open } = opener();
    const log = open();
    await append(log, 2, 'other');
    await clock.advance(1_000);
    await append(log, 1, 'other');
    expect(await log.truncate('other', START + 500)).toBe(2);
  });
});

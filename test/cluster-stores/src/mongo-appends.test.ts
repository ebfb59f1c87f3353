import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { RECEIPT_LIFE_MS } from '@retrigger/ports/receipt-store.ts';
import type { CommandStartedEvent } from 'mongodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from './databases.ts';
import { batchOf, receipt, storedEvent } from './samples.ts';

const tasks = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`);
const FIRST_HUNDRED = { from: 1, to: Number.MAX_SAFE_INTEGER, limit: 100, order: 'asc' } as const;

describe('what the MongoDB adapter sends', () => {
  let database: TestDatabase;
  let events: MongoEventStore;
  let inserts: { documents: number; ordered: boolean }[];

  beforeEach(async () => {
    database = await freshDatabase('?monitorCommands=true');
    events = new MongoEventStore(database.mongo);
    inserts = [];
    database.mongo.db.client.on('commandStarted', ({ command }: CommandStartedEvent) => {
      if (command.insert !== undefined) inserts.push({ documents: command.documents.length, ordered: command.ordered });
    });
  });

  afterEach(() => database.drop());

  const sequencesOf = async (taskId: string) => (await events.read(`acme/${taskId}`, FIRST_HUNDRED)).map(({ event }) => event.sequence);

  test('E2: wide rounds go one by one; what is left of few tasks goes in order, in one message', async () => {
    const wide = batchOf(tasks(20), 2);
    const narrow = Array.from({ length: 30 }, (_, n) => storedEvent('t0', n + 3));
    expect(await events.append([...wide, ...narrow])).toEqual({ kind: 'stored' });
    expect(inserts).toEqual([
      { documents: 20, ordered: false },
      { documents: 20, ordered: false },
      { documents: 30, ordered: true },
    ]);
    expect(await sequencesOf('t0')).toEqual(Array.from({ length: 32 }, (_, n) => n + 1));
  });

  test.each([20, 3])('E1, E2: of %s tasks, one whose name is taken stops there and nowhere else', async (count) => {
    const others = storedEvent('t1', 2, { note: 'was here first' });
    await events.append([others]);
    expect(await events.append(batchOf(tasks(count), 4))).toEqual({ kind: 'conflict', keys: new Set(['acme/t1']) });
    for (const task of tasks(count)) expect(await sequencesOf(task)).toEqual(task === 't1' ? [1, 2] : [1, 2, 3, 4]);
    expect(await events.read('acme/t1', { from: 2, to: 2, limit: 1, order: 'asc' })).toEqual([others]);
  });

  test('E1, E2: every task of a narrow insert may be in conflict, each at another place', async () => {
    await events.append([storedEvent('t0', 3), storedEvent('t1', 1), storedEvent('t2', 4)]);
    expect(await events.append(batchOf(tasks(4), 4))).toEqual({ kind: 'conflict', keys: new Set(['acme/t0', 'acme/t1', 'acme/t2']) });
    expect(await Promise.all(tasks(4).map(sequencesOf))).toEqual([[1, 2, 3], [1], [1, 2, 3, 4], [1, 2, 3, 4]]);
  });

  test('a key whose names lie inside the range of a shorter one is another stream', async () => {
    const bulk = { ...storedEvent('bulk', 1), key: 'acme/bulk/7up' };
    await events.append([bulk, storedEvent('bulk', 1)]);
    expect(await events.read('acme/bulk', FIRST_HUNDRED)).toHaveLength(1);
    expect([await events.count('acme/bulk', {}), await events.count('acme/bulk/7up', {})]).toEqual([1, 1]);
  });

  test('R1: receipts under one commandId inside one put are taken in the order given', async () => {
    const receipts = new MongoReceiptStore(database.mongo);
    await receipts.put([receipt('c1', 0), receipt('c1', 10), receipt('c1', RECEIPT_LIFE_MS), receipt('c1', RECEIPT_LIFE_MS + 1)]);
    expect((await receipts.load(['c1'])).get('c1')).toEqual(receipt('c1', RECEIPT_LIFE_MS));
  });

  test('a sweep of more receipts than go into one message takes them all, and no younger one', async () => {
    const receipts = new MongoReceiptStore(database.mongo);
    await receipts.put(Array.from({ length: 2_500 }, (_, n) => receipt(`c${n}`, n)));
    expect(await receipts.sweep(3, 2_400)).toBe(2_400);
    expect([...(await receipts.load(['c2399', 'c2400', 'c2499'])).keys()].sort()).toEqual(['c2400', 'c2499']);
  });
});

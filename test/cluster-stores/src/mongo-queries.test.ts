import { MongoDocumentStore } from '@retrigger/mongo/mongo-document-store.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { INDEXES } from '@retrigger/mongo/mongo-indexes.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import type { CommandStartedEvent, Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from './databases.ts';
import { batchOf, receipt, snapshot } from './samples.ts';
import { type QueryShape, servedBy } from './served-by.ts';

/** The queries in a command of the wire protocol. */
function shapesOf(command: Document): QueryShape[] {
  if (command.find !== undefined) return [{ collection: command.find, filter: command.filter, sort: command.sort }];
  if (command.aggregate !== undefined) return [{ collection: command.aggregate, filter: command.pipeline[0].$match }];
  if (command.update !== undefined) return command.updates.map(({ q }: Document) => ({ collection: command.update, filter: q }));
  if (command.delete !== undefined) return command.deletes.map(({ q }: Document) => ({ collection: command.delete, filter: q }));
  return [];
}

describe('the queries of the MongoDB adapter', () => {
  let database: TestDatabase;
  const seen: QueryShape[] = [];

  beforeAll(async () => {
    database = await freshDatabase('?monitorCommands=true');
    const { mongo } = database;
    mongo.db.client.on('commandStarted', ({ command }: CommandStartedEvent) => seen.push(...shapesOf(command)));
    const [events, receipts, snapshots] = [new MongoEventStore(mongo), new MongoReceiptStore(mongo), new MongoSnapshotStore(mongo)];
    await events.append(batchOf(['t1', 't2'], 3));
    await events.append(batchOf(['t1'], 1));
    await events.read('acme/t1', { from: 1, to: 9, limit: 5, order: 'desc' });
    const everything = { types: ['TaskTriggered'], from: '2026', before: '2027', actorId: 'ann' };
    for (const filter of [{}, everything])
      for (const after of [null, 2])
        for (const order of ['asc', 'desc'] as const) await events.page('acme/t1', filter, { after, limit: 5, order });
    for (const filter of [{}, everything]) await events.count('acme/t1', filter);
    const span = { tenantId: 'acme', types: ['TaskTriggered', 'TaskStarted'], before: '2027-01-01T00:00:00.000Z' };
    for (const filter of [span, { ...span, from: '2026-01-01T00:00:00.000Z', actorId: 'ann' }]) {
      for (const after of [null, { timestamp: '2026-01-15T12:00:01.000Z', eventId: 'x' }])
        for (const order of ['asc', 'desc'] as const) await events.pageOfTenant(filter, { after, limit: 5, order });
      await events.countOfTenant(filter);
    }
    await events.texts('acme/t1', 1, 5);
    await receipts.put([receipt('c1', 1)]);
    await receipts.load(['c1', 'c2']);
    await receipts.sweep(3, 2);
    await snapshots.save([snapshot('t1', 1, { wakeAt: 5 })]);
    await snapshots.load(['acme/t1']);
    await snapshots.due(3, 10, null, 5);
    await snapshots.due(3, 10, { key: 'acme/t1', wakeAt: 5, wakeKind: 'due' }, 5);
    await snapshots.waiting('acme', 't1', null, 5);
    await snapshots.waiting('acme', 't1', 't0', 5);
    for (const type of [undefined, 'job'])
      for (const after of [null, { type: 'job', taskId: 't1' }])
        await snapshots.list('acme', { statuses: ['Draft', 'Running'], ...(type === undefined ? {} : { type }) }, after, 5);
    await snapshots.claimable('acme', 'job', 5);
    const documents = new MongoDocumentStore(mongo);
    const document = { kind: 'key', tenantId: 'acme', id: 'a', body: {} };
    for (const version of [1, 2]) await documents.write({ ...document, version });
    await documents.make([document, { ...document, id: 'b' }].map((one) => ({ ...one, version: 1 })));
    await documents.list('key', 'acme', 'a', 5);
    await documents.listAll('key', document, 5);
    await documents.remove('key', 'acme', 'a');
    await snapshots.saveMark(3, { at: 1, newest: 0 });
    await snapshots.marks();
  });

  afterAll(() => database.drop());

  test('are each answered from a declared index or from _id, but for the marks, which are few and wanted all', () => {
    const unserved = seen.filter((shape) => servedBy(shape, INDEXES) === undefined);
    expect(unserved).toEqual([{ collection: 'marks', filter: {} }]);
  });

  test('use every declared index', () => {
    const used = new Set(seen.map((shape) => servedBy(shape, INDEXES)));
    expect(INDEXES.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });

  test('find the indexes made', async () => {
    for (const { collection, name, key } of INDEXES) {
      const made = await database.mongo.db.collection(collection).indexes();
      expect(made.find((index) => index.name === name)?.key).toEqual(key);
    }
  });
});

describe('the check itself', () => {
  test.each<QueryShape>([
    { collection: 'snapshots', filter: { status: 'Running' } },
    { collection: 'snapshots', filter: { partition: 1, status: 'Running' } },
    { collection: 'snapshots', filter: { wakeAt: { $lt: 5 } } },
    { collection: 'snapshots', filter: { partition: { $gt: 1 }, wakeAt: { $lt: 5 } } },
    { collection: 'snapshots', filter: { partition: 1 }, sort: { _id: 1 } },
    { collection: 'snapshots', filter: { tenantId: 'acme', waitsFor: 't1' }, sort: { _id: 1 } },
    { collection: 'events', filter: { type: 'TaskTriggered' } },
    { collection: 'events', filter: { _id: { $gt: 'a' } }, sort: { timestamp: 1 } },
    { collection: 'receipts', filter: {} },
  ])('finds no index for $collection $filter by $sort', (shape) => {
    expect(servedBy(shape, INDEXES)).toBeUndefined();
  });
});

import { failureOf } from '@retrigger/mongo/mongo-errors.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoParseError,
  MongoServerError,
} from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from './databases.ts';
import { storedEvent } from './samples.ts';

const server = (code: number) => new MongoServerError({ message: 'as the server says', code });

describe('the error table of MongoDB', () => {
  test.each([
    [server(11000), 'duplicate', false],
    [server(10107), 'not_primary', true],
    [server(91), 'not_primary', true],
    [server(64), 'not_durable', true],
    [server(50), 'timeout', true],
    [server(112), 'busy', true],
    [server(18), 'auth', false],
    [server(13), 'auth', false],
    [server(10334), 'too_large', false],
    [server(14031), 'disk_full', false],
    [server(85), 'index_conflict', false],
    [server(4_711), 'unexpected', false],
    [new MongoServerError({ message: 'new code, old label', code: 4_711, errorLabels: ['RetryableWriteError'] }), 'busy', true],
    [new MongoNetworkError('connection 1 closed'), 'network', true],
    [new MongoNetworkTimeoutError('timed out'), 'timeout', true],
    [new MongoClientClosedError(), 'closed', false],
    [new MongoParseError('wrong'), 'bad_setting', false],
    [new MongoInvalidArgumentError('Document is larger than the maximum size 16777216'), 'too_large', false],
    [Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET', syscall: 'write' }), 'network', true],
    [Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' }), 'network', true],
    [new TypeError('a bug'), 'unexpected', false],
    [undefined, 'unexpected', false],
  ])('%s is %s, retried: %s', (error, code, retry) => {
    expect(failureOf(error)).toMatchObject({ code, retry, cause: error });
  });
});

describe('what really happens', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  test('a document over the bound is too large, and is not tried again', async () => {
    const huge = storedEvent('t1', 1, { note: 'x'.repeat(17 * 1024 * 1024) });
    await expect(new MongoEventStore(database.mongo).append([huge])).rejects.toMatchObject({ code: 'too_large', retry: false });
  });

  test('a bulk that a broken connection ended is no duplicate, though it holds some', async () => {
    const events = database.mongo.db.collection<{ _id: string }>('raw');
    await events.insertOne({ _id: 'a' });
    const duplicate: unknown = await events.insertMany([{ _id: 'a' }, { _id: 'b' }], { ordered: false }).catch((error: unknown) => error);
    expect(failureOf(duplicate)).toMatchObject({ code: 'duplicate' });
    if (!(duplicate instanceof MongoBulkWriteError)) throw duplicate;
    expect(failureOf(new MongoBulkWriteError(new MongoNetworkError('connection 1 closed'), duplicate.result))).toMatchObject({
      code: 'network',
    });
  });

  test('an event whose text holds a NUL, an emoji and field names with dots and dollars comes back byte for byte', async () => {
    const odd = storedEvent('t2', 1, { note: '\u0000 \u{1F600}' });
    const store = new MongoEventStore(database.mongo);
    await store.append([odd]);
    expect(await store.read(odd.key, { from: 1, to: 1, limit: 1, order: 'asc' })).toEqual([odd]);
  });
});

import { putGuarded } from '@retrigger/mongo/guarded-writes.ts';
import type { Collection } from 'mongodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from './databases.ts';

type Versioned = { _id: string; version: number };
const write = (version: number) => ({ document: { _id: 'a', version }, replaces: { version: { $lt: version } } });

describe('a guarded write', () => {
  let database: TestDatabase;
  let collection: Collection<Versioned>;

  beforeEach(async () => {
    database = await freshDatabase();
    collection = database.mongo.db.collection('versioned');
  });

  afterEach(() => database.drop());

  const stored = async () => (await collection.findOne({ _id: 'a' }))?.version;

  test('P2: happens in the order given, when one name is written more than once', async () => {
    await putGuarded(database.mongo, collection, [write(2), write(1), write(4), write(3)]);
    expect(await stored()).toBe(4);
  });

  /** What MongoDB does when another writer's document comes after an upsert has looked and before it inserts. */
  const withRival = (rival: number) => {
    let bulks = 0;
    const bulkWrite: Collection<Versioned>['bulkWrite'] = async (operations, options) => {
      if (++bulks > 1) return collection.bulkWrite(operations, options);
      await collection.insertOne({ _id: 'a', version: rival });
      await collection.insertMany([{ _id: 'a', version: 5 }]);
      throw new Error('the second insert of one _id was not refused');
    };
    return { bulkWrite };
  };

  test.each([
    [3, 5],
    [9, 9],
  ])('P1: against version %s, which comes between its look and its insert, leaves the higher one', async (rival, higher) => {
    await putGuarded(database.mongo, withRival(rival), [write(5)]);
    expect(await stored()).toBe(higher);
  });
});

// What the store asks of a server, one fact each.
import { type Collection, type Db, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { expect, INDEXES, type Row, snapshot } from './row.ts';

const DUPLICATE_KEY = 11_000;

async function codeOf(work: Promise<unknown>): Promise<number | string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof MongoServerError ? Number(error.code) : String(error)),
  );
}

/** `index:code` of each write that was refused, with how many were inserted. */
async function refused(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => {
      if (!(error instanceof MongoBulkWriteError)) return String(error);
      return `${[error.writeErrors].flat().map((one) => `${one.index}:${one.code}`)} inserted ${error.insertedCount}`;
    },
  );
}

const ids = (rows: readonly Row[]): string => rows.map((row) => row._id).join(' ');
const rowsNamed = (names: string): Row[] => names.split(' ').map((_id) => ({ _id }));

async function unique(rows: Collection<Row>): Promise<string> {
  await rows.insertOne({ _id: 'a' });
  const code = await codeOf(rows.insertOne({ _id: 'a' }));
  expect(code === DUPLICATE_KEY, `got ${code}`);
  return '';
}

async function oneWinner(
  contend: (round: number, contender: number) => Promise<unknown>,
  won: (result: unknown) => boolean,
): Promise<string> {
  for (let round = 0; round < 10; round++) {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, contender) => contend(round, contender).catch((error: unknown) => error)),
    );
    expect(results.filter(won).length === 1, `round ${round} has ${results.filter(won).length} winners`);
  }
  return '10 races of 20';
}

async function insertRace(rows: Collection<Row>): Promise<string> {
  return oneWinner(
    (round, contender) => codeOf(rows.insertOne({ _id: `r${round}`, version: contender })),
    (result) => result === 'no error',
  );
}

async function updateRace(rows: Collection<Row>): Promise<string> {
  await rows.insertOne({ _id: 'a', version: 0 });
  return oneWinner(
    async (round) => (await rows.updateOne({ _id: 'a', version: round }, { $set: { version: round + 1 } })).modifiedCount,
    (result) => result === 1,
  );
}

async function unorderedInsert(rows: Collection<Row>): Promise<string> {
  await rows.insertMany(rowsNamed('b d'));
  const outcome = await refused(rows.insertMany(rowsNamed('a b c d e'), { ordered: false }));
  expect(outcome === '1:11000,3:11000 inserted 3', `got ${outcome}`);
  expect((await rows.countDocuments()) === 5, 'the rest was not stored');
  return '';
}

async function guardedUpsert(rows: Collection<Row>): Promise<string> {
  const save = (version: number) =>
    rows.updateOne({ _id: 'a', version: { $lt: version } }, { $set: { version, note: `v${version}` } }, { upsert: true });
  expect((await save(2)).upsertedCount === 1, 'the first did not insert');
  expect((await save(3)).modifiedCount === 1, 'the newer did not update');
  const code = await codeOf(save(3));
  expect(code === DUPLICATE_KEY, `the same version again: ${code}`);
  const found = await rows.findOneAndUpdate({ _id: 'a', version: 3 }, { $set: { version: 4 } }, { returnDocument: 'after' });
  expect(found?.version === 4, 'findOneAndUpdate gave no document');
  return '';
}

async function guardedBulk(rows: Collection<Row>): Promise<string> {
  await rows.insertMany([
    { _id: 'a', version: 5 },
    { _id: 'b', version: 1 },
  ]);
  const replace = (_id: string) => ({ replaceOne: { filter: { _id, version: { $lt: 3 } }, replacement: { version: 3 }, upsert: true } });
  const outcome = await refused(rows.bulkWrite([replace('a'), replace('b'), replace('c')], { ordered: false }));
  expect(outcome.startsWith('0:11000 '), `got ${outcome}`);
  const versions = (await rows.find().sort({ _id: 1 }).toArray()).map((row) => row.version).join();
  expect(versions === '5,3,3', `got versions ${versions}`);
  return '';
}

async function ranges(rows: Collection<Row>): Promise<string> {
  await rows.insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: `t/a/${String(i).padStart(4, '0')}` })).reverse());
  await rows.insertMany(rowsNamed('t/a-b/0001 t/a~/0001'));
  const some = ids(
    await rows
      .find({ _id: { $gt: 't/a/0010', $lt: 't/a0' } })
      .sort({ _id: 1 })
      .limit(3)
      .toArray(),
  );
  expect(some === 't/a/0011 t/a/0012 t/a/0013', `ascending: ${some}`);
  const last = ids(
    await rows
      .find({ _id: { $gte: 't/a/', $lt: 't/a0' } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray(),
  );
  expect(last === 't/a/0029', `descending: ${last}`);
  expect((await rows.find({ _id: { $in: ['t/a/0003', 't/a/0004', 'none'] } }).toArray()).length === 2, 'wrong $in');
  const either = await rows.find({ $or: [{ _id: 't/a/0003' }, { _id: { $gt: 't/a/0027', $lt: 't/a0' } }] }).toArray();
  expect(either.length === 3, 'wrong $or');
  return '';
}

async function indexed(rows: Collection<Row>): Promise<string> {
  await rows.createIndexes([...INDEXES]);
  await rows.insertMany(Array.from({ length: 200 }, (_, i) => snapshot(i)));
  const due = () =>
    rows
      .find({ partition: 4, wakeAt: { $lte: 68 } })
      .sort({ wakeAt: 1 })
      .toArray();
  expect(ids(await due()) === 't4/task-4 t8/task-68', 'wrong due tasks');
  expect(ids(await rows.find({ tenantId: 't0', waitsFor: 'task-52' }).toArray()) === 't0/task-50', 'wrong waiting tasks');
  expect(ids(await rows.find({ tenantId: 't0', status: 'Running', type: 'type-2' }).toArray()) === 't0/task-100', 'wrong filter');
  await rows.updateOne({ _id: 't4/task-4' }, { $unset: { wakeAt: 1 } });
  await rows.updateOne({ _id: 't0/task-50' }, { $set: { waitsFor: [] } });
  expect(ids(await due()) === 't8/task-68', 'still due after the update');
  expect((await rows.find({ tenantId: 't0', waitsFor: 'task-52' }).toArray()).length === 0, 'still waiting after the update');
  expect((await rows.countDocuments({ tenantId: 't0' })) === 20, 'wrong count by the first field');
  return '';
}

async function deletes(rows: Collection<Row>): Promise<string> {
  await rows.createIndexes([...INDEXES]);
  await rows.insertMany(Array.from({ length: 20 }, (_, i) => ({ _id: `x${i}`, wakeAt: i, note: 'n' })));
  expect((await rows.deleteMany({ wakeAt: { $lt: 15 } })).deletedCount === 15, 'wrong deletedCount');
  const one = JSON.stringify(await rows.findOne({ _id: 'x15' }, { projection: { wakeAt: 1 } }));
  expect(one === '{"_id":"x15","wakeAt":15}', `projection gave ${one}`);
  expect((await rows.countDocuments({ wakeAt: { $gte: 18 } })) === 2, 'wrong count');
  return '';
}

async function values(rows: Collection<Row & { state?: unknown }>): Promise<string> {
  const deep = { deep: [[1], { x: [null] }], empty: {}, no: false, 'a.b': 1, $c: { 'd.e': [] } };
  const state = { ...deep, n: null, u: '\u{1F600}\u0000z', big: 2 ** 53, low: -0.5, at: new Date(1_795_000_000_123) };
  await rows.insertOne({ _id: 'v', state });
  const read = JSON.stringify((await rows.findOne({ _id: 'v' }))?.state);
  expect(read === JSON.stringify(state), `got ${read}`);
  return '';
}

async function version(db: Db): Promise<string> {
  const { maxWireVersion } = await db.command({ isMaster: 1 });
  return `wire version ${maxWireVersion}, server ${(await db.command({ buildInfo: 1 })).version}`;
}

export const promises: readonly (readonly [name: string, run: (db: Db) => Promise<string>])[] = [
  ['the driver accepts the server', version],
  ['a second insert of an _id is refused with 11000', (db) => unique(db.collection('unique'))],
  ['of concurrent inserts of one _id, one wins', (db) => insertRace(db.collection('insertRace'))],
  ['of concurrent updates of one version, one wins', (db) => updateRace(db.collection('updateRace'))],
  ['an unordered insertMany stores the rest and names each duplicate', (db) => unorderedInsert(db.collection('many'))],
  ['an upsert guarded by version updates, inserts, or is refused with 11000', (db) => guardedUpsert(db.collection('guard'))],
  ['a bulkWrite of guarded upserts names each refusal', (db) => guardedBulk(db.collection('bulk'))],
  ['ranges, lists, order and limit by _id are right', (db) => ranges(db.collection('range'))],
  ['queries by the three indexes are right, after updates too', (db) => indexed(db.collection('indexed'))],
  ['deleteMany, projection and count are right', (db) => deletes(db.collection('deletes'))],
  ['values come back as they went', (db) => values(db.collection('values'))],
];

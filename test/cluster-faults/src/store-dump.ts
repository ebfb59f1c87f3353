import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';

type AnyDocument = { _id: string; [field: string]: unknown };

/** The documents of each collection. */
export type Dump = Map<string, AnyDocument[]>;

const AT_ONCE = 500;
/** What is made of events comes before them, so that every snapshot and receipt of the dump has its events there. */
const FIRST = ['snapshots', 'marks', 'receipts'];
const LAST = 'events';

/**
 * Dumps a store that is in use, through the driver. Without an oplog no dump is of one moment; this order makes it one that a worker could have left that died:
 * snapshots, then receipts, then events, of each task the last first, so that of every stream there is a prefix.
 */
export async function dumpStore(url: string): Promise<Dump> {
  const { db, close } = await connectMongo(url, systemClock);
  try {
    const names = (await db.listCollections().toArray()).map(({ name }) => name);
    const rest = names.filter((name) => !FIRST.includes(name) && name !== LAST);
    const dump: Dump = new Map();
    for (const name of [...FIRST.filter((first) => names.includes(first)), ...rest, LAST])
      dump.set(
        name,
        await db
          .collection<AnyDocument>(name)
          .find({}, { sort: { _id: -1 } })
          .toArray(),
      );
    return dump;
  } finally {
    await close();
  }
}

/** Loses everything that the store holds, but for the keys, which are in a database of their own. */
export async function loseStore(url: string): Promise<void> {
  const { db, close } = await connectMongo(url, systemClock);
  try {
    for (const { name } of await db.listCollections().toArray()) await db.collection(name).deleteMany({});
  } finally {
    await close();
  }
}

export async function restoreStore(url: string, dump: Dump): Promise<void> {
  const { db, close } = await connectMongo(url, systemClock);
  try {
    for (const [name, documents] of dump)
      for (let from = 0; from < documents.length; from += AT_ONCE)
        await db.collection<AnyDocument>(name).insertMany(documents.slice(from, from + AT_ONCE));
  } finally {
    await close();
  }
}

import type { Collection, Filter } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';
import { duplicatesIn } from './mongo-errors.ts';
import { inRounds } from './write-parts.ts';

export type Named = { _id: string };
/** A whole document, and what must be true of the one that stands under its `_id`, if one does. */
export type GuardedWrite<D extends Named> = { document: D; replaces: Filter<D> };

/**
 * Puts each document under its `_id` when nothing stands there, or when what stands there matches `replaces`; else it changes nothing, which is no error.
 * P1: an upsert whose guard does not match tries to insert, and the name that is taken refuses it. That is the guard's "no" only the second time: the first
 * time nothing may have stood there to be matched, and another writer's document may have come between the look and the insert.
 * P2: unordered, so one "no" stops no other write; but writes under one `_id` happen in the order given.
 */
export async function putGuarded<D extends Named>(
  { retry }: Pick<MongoConnection, 'retry'>,
  collection: Pick<Collection<D>, 'bulkWrite'>,
  writes: GuardedWrite<D>[],
): Promise<void> {
  // P2
  for (const round of inRounds(writes, ({ document }) => document._id)) {
    const operations = round.map(({ document, replaces }) => {
      const { _id, ...replacement } = document;
      return { replaceOne: { filter: { ...replaces, _id }, replacement, upsert: true } };
    });
    const put = (some: typeof operations) => retry(() => collection.bulkWrite(some, { ordered: false }).then(() => [], duplicatesIn));
    const refused = new Set(await put(operations));
    if (refused.size > 0) await put(operations.filter((_, index) => refused.has(index))); // P1
  }
}

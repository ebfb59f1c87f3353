import type { Collection } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';

type ShapeDocument = { _id: string; partitions: number; hash: string };

/**
 * The partition count of each topic and the name of the hash that spreads keys over them, as they were first used. H1: the first stays; who comes later is told
 * what it was, and must agree or not start, for with another count keys would stand elsewhere.
 */
export async function rememberShapes(
  { db, retry }: MongoConnection,
  topics: { [topic: string]: number },
  hash: string,
): Promise<{ kind: 'remembered'; partitions: { [topic: string]: number } } | { kind: 'other_hash'; topic: string; stored: string }> {
  const shapes: Collection<ShapeDocument> = db.collection('topics');
  const partitions: { [topic: string]: number } = {};
  for (const [topic, count] of Object.entries(topics)) {
    const stored = await retry(async () => {
      await shapes.updateOne({ _id: topic }, { $setOnInsert: { partitions: count, hash } }, { upsert: true });
      return shapes.findOne({ _id: topic });
    });
    if (stored !== null && stored.hash !== hash) return { kind: 'other_hash', topic, stored: stored.hash };
    partitions[topic] = stored?.partitions ?? count;
  }
  return { kind: 'remembered', partitions };
}

import { globSync, statSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';
import { BSON, MongoClient } from 'mongodb';

const SAMPLE = 500;

/** Mean bytes: of what a command leaves on one replica of Kafka's disks (work and event), and of the store's documents without their indexes. */
export type Sizes = { logBytesPerCommand: number; eventBytes: number; receiptBytes: number; snapshotBytes: number };

export async function sizesOf(mongoUrl: string, brokers: string[], prefix: string, clusterFolder: string | undefined): Promise<Sizes> {
  const client = new MongoClient(mongoUrl);
  const db = client.db();
  const mean = async (collection: string): Promise<number> => {
    const documents = await db.collection(collection).find().limit(SAMPLE).toArray();
    return Math.round(documents.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0) / documents.length);
  };
  const sizes = { eventBytes: await mean('events'), receiptBytes: await mean('receipts'), snapshotBytes: await mean('snapshots') };
  await client.close();
  return { logBytesPerCommand: await logBytes(brokers, prefix, clusterFolder), ...sizes };
}

/** Not a number where the broker's folder is not at hand. */
async function logBytes(brokers: string[], prefix: string, clusterFolder: string | undefined): Promise<number> {
  if (clusterFolder === undefined) return Number.NaN;
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const work = await admin.fetchTopicOffsets(`${prefix}retrigger.work`);
  await admin.disconnect();
  const records = work.reduce((sum, { high }) => sum + Number(high), 0);
  const segments = globSync(`**/${prefix}retrigger.{work,events}-*/*.log`, { cwd: clusterFolder });
  return Math.round(segments.reduce((sum, path) => sum + statSync(`${clusterFolder}/${path}`).size, 0) / records);
}

import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { closedLoop, perSecond } from '../load.ts';
import { premadeDecisions } from '../premade-decisions.ts';

const IN_FLIGHT = 64;
const PARTITIONS = 8;
const WARM_UP = 20;

const batchesInFlight = (batchSize: number): number => Math.max(1, Math.round(IN_FLIGHT / batchSize));

/** Calls `one` for each batch, after a few that do not count; records per second. */
async function paceOf(count: number, batchSize: number, one: (batch: number) => Promise<unknown>): Promise<number> {
  const batches = Math.ceil(count / batchSize);
  const write = async (batch: number) => void (await one(batch));
  await closedLoop(WARM_UP, batchesInFlight(batchSize), write);
  return perSecond(batches * batchSize, await closedLoop(batches, batchesInFlight(batchSize), (batch) => write(batch + WARM_UP)));
}

/** Records of 400 bytes per second that KafkaJS brings into Kafka, acknowledged by all replicas, in batches of this size. */
export async function bareProduce(brokers: string[], count: number, batchSize: number): Promise<number> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const topic = `bare-${process.pid}-${Date.now()}`;
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const value = Buffer.alloc(400, 'x');
  const messages = (batch: number) => Array.from({ length: batchSize }, (_, i) => ({ key: `default/t-${batch * batchSize + i}`, value }));
  const pace = await paceOf(count, batchSize, (batch) => producer.send({ topic, acks: -1, messages: messages(batch) }));
  await producer.disconnect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  return pace;
}

/** Documents as large as events per second that the store takes, unordered, acknowledged by a majority and journaled, in a collection without indexes. */
export async function bareInsert(url: string, count: number, batchSize: number): Promise<number> {
  const client = new MongoClient(url, { writeConcern: { w: 'majority', journal: true }, retryWrites: false });
  const db = client.db(`bare${process.pid}${Date.now()}`);
  const documents = (batch: number) =>
    Array.from({ length: batchSize }, (_, i) => ({ _id: `default/t-${batch * batchSize + i}/1` as never, json: 'x'.repeat(800) }));
  const collection = db.collection('bare');
  const pace = await paceOf(count, batchSize, (batch) => collection.insertMany(documents(batch), { ordered: false }));
  await db.dropDatabase();
  await client.close();
  return pace;
}

/** Decisions per second when nobody has to make them: event, receipt and snapshot, with their indexes and guards. */
export async function bareDecisions(url: string, count: number, batchSize: number): Promise<number> {
  const named = new URL(url);
  named.pathname = `/decisions${process.pid}${Date.now()}`;
  const mongo = await connectMongo(named.href, systemClock);
  const stores = [new MongoEventStore(mongo), new MongoReceiptStore(mongo, unobserved), new MongoSnapshotStore(mongo, unobserved)] as const;
  const decisions = writeInSteps(...stores, unobserved);
  const batches = premadeDecisions(count + (WARM_UP + 1) * batchSize, batchSize);
  const pace = await paceOf(count, batchSize, async (batch) =>
    decisions.write(batches[batch] ?? { events: [], receipts: [], snapshots: [] }),
  );
  await mongo.db.dropDatabase();
  await mongo.close();
  return pace;
}

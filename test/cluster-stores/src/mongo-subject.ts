import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo, type MongoConnection } from '@retrigger/mongo/mongo-client.ts';
import { MongoDocumentStore } from '@retrigger/mongo/mongo-document-store.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import type { Reached } from '@retrigger/ports/reached.ts';

/** The three stores and the decision store over them, as the worker composes them. */
export function mongoStores(mongo: MongoConnection, reached?: Reached) {
  const events = new MongoEventStore(mongo, reached);
  const receipts = new MongoReceiptStore(mongo, reached);
  const snapshots = new MongoSnapshotStore(mongo, reached);
  const documents = new MongoDocumentStore(mongo);
  return { events, receipts, snapshots, documents, decisions: writeInSteps(events, receipts, snapshots, reached ?? (() => {})) };
}

/** The contract's crash module: `place` is `{ url }` of a database. */
export async function open(place: unknown, reached: Reached) {
  const { url } = place as { url: string };
  const mongo = await connectMongo(url, systemClock);
  return { ...mongoStores(mongo, reached), close: () => mongo.close() };
}

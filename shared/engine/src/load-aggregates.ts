import { EMPTY_HEAD, isPassed, type StoredEvent } from '@retrigger/domain/event.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Receipt, ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { type Aggregate, aggregateAt, type Received } from './aggregate.ts';
import type { AggregateCache, Known } from './aggregate-cache.ts';

const CHUNK = 100;

type Stores = { events: EventStore; snapshots: SnapshotStore };

/**
 * Step 2: the aggregates of a batch and the receipts of its commands.
 * Y1: receipts are read after the aggregates: what a snapshot has passed has its receipts, so a twin of it is not decided again.
 * Y2: a receipt that knows of a later event than its aggregate (another owner has gone on meanwhile) has both read again.
 */
export async function loadBatch(
  received: Received[],
  cache: AggregateCache,
  stores: Stores & { receipts: ReceiptStore },
): Promise<{ aggregates: Map<string, Aggregate>; receipts: Map<string, Receipt> }> {
  const doors = received.flatMap(({ command }) => {
    if (command.fingerprint === undefined) return [];
    return [command.answersTo ?? command.commandId, command.type === 'ClaimExecution' ? command.body.claim : []].flat();
  });
  for (;;) {
    const aggregates = await loadAggregates(received, cache, stores);
    const receipts = await stores.receipts.load(doors); // Y1
    const outdated = [...receipts.values()].filter(({ key, sequence }) => (sequence ?? 0) > lastSequence(aggregates.get(key)));
    if (outdated.length === 0) return { aggregates, receipts };
    for (const { key } of outdated) cache.doubt(key, aggregates.get(key)?.loaded ?? NOTHING_KNOWN); // Y2
  }
}

const NOTHING_KNOWN: Known = { head: EMPTY_HEAD, state: undefined };

const lastSequence = (aggregate: Aggregate | undefined): number =>
  aggregate === undefined ? Number.POSITIVE_INFINITY : aggregate.head.sequence + aggregate.tail.length;

/**
 * The aggregates of a batch. From the cache where the owner has it, else the snapshot; and the tail behind it by name until there is none, unless the cache is sure.
 * For records that the snapshot has passed, the events that they led to are read too, so that they can be emitted again.
 */
export async function loadAggregates(received: Received[], cache: AggregateCache, stores: Stores): Promise<Map<string, Aggregate>> {
  const loaded = new Map<string, Aggregate>();
  const first = new Map<string, Received>();
  for (const record of received) if (!first.has(record.key)) first.set(record.key, record);
  const missing: string[] = [];
  const inDoubt: Aggregate[] = [];
  for (const [key, record] of first) {
    const cached = cache.get(key);
    if (cached === undefined || isPassed(record.position, cached.head.position)) missing.push(key);
    else {
      const aggregate = aggregateAt(key, cached.head, cached.state);
      loaded.set(key, aggregate);
      if (cached.isInDoubt) inDoubt.push(aggregate);
    }
  }
  if (missing.length === 0 && inDoubt.length === 0) return loaded;
  const snapshots = missing.length === 0 ? new Map<string, Snapshot>() : await stores.snapshots.load(missing);
  const unread = missing.map((key) => {
    const { head = EMPTY_HEAD, state } = snapshots.get(key) ?? {};
    return aggregateAt(key, head, state);
  });
  await Promise.all(
    [...unread, ...inDoubt].map(async (aggregate) => {
      const { key, head } = aggregate;
      aggregate.tail = await readTail(stores.events, key, head.sequence);
      const record = first.get(key);
      if (record !== undefined && isPassed(record.position, head.position))
        aggregate.past = await readPast(stores.events, key, head.sequence, record);
      loaded.set(key, aggregate);
    }),
  );
  return loaded;
}

async function readTail(events: EventStore, key: string, after: number): Promise<StoredEvent[]> {
  const tail: StoredEvent[] = [];
  for (;;) {
    const from = after + tail.length + 1;
    const chunk = await events.read(key, { from, to: Number.MAX_SAFE_INTEGER, limit: CHUNK, order: 'asc' });
    tail.push(...chunk);
    if (chunk.length < CHUNK) return tail;
  }
}

/** Backwards from the snapshot until an event stands before the first record of the batch. */
async function readPast(events: EventStore, key: string, last: number, first: Received): Promise<Map<number, StoredEvent>> {
  const past = new Map<number, StoredEvent>();
  for (let to = last; to > 0; ) {
    const chunk = await events.read(key, { from: 1, to, limit: CHUNK, order: 'desc' });
    for (const stored of chunk) {
      if (!isPassed(first.position, stored.position)) return past;
      past.set(stored.position.offset, stored);
    }
    if (chunk.length < CHUNK) return past;
    to -= chunk.length;
  }
  return past;
}

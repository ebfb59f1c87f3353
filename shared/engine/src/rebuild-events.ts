import { EMPTY_HEAD, NO_HASH, type Position, type StoredEvent } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { type OpenEvent, sealedForm } from '@retrigger/domain/privacy/sealed-form.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { type AnyDecider, aggregateAt, apply, type Received } from './aggregate.ts';
import { keepReceipt, nothingMade } from './key-decisions.ts';
import { toDecided } from './store-decisions.ts';

/** What the kept topics tell: events by key, as they were shown, and the records of each command (`recordName`) in the work log, in its order. */
export type Kept = { events: Map<string, OpenEvent[]>; records: Map<string, Received[]> };

export type RebuildPorts = {
  events: Pick<EventStore, 'read' | 'append'>;
  receipts: Pick<ReceiptStore, 'put'>;
  snapshots: Pick<SnapshotStore, 'load' | 'save'>;
  decider: AnyDecider;
};

/** `wrong`: streams that could not be rebuilt to their end, and why. */
export type Rebuilt = { restored: number; present: number; wrong: string[] };

export const recordName = (key: string, commandId: string): string => `${key} ${commandId}`;

const READ_AT_ONCE = 500;

/**
 * Puts the events that a restored store lacks back from the kept topics, under their names, with their bytes and positions; done twice it changes nothing.
 * The work log alone would not do: deciding its commands again, with other partitions further or less far than they were then, could come out otherwise than
 * what somebody was told. With the events there, redelivery finds each command decided (B2), and makes receipts, snapshots and follow-ups of that.
 * Z1: an event goes back only when its bytes make its hash and it follows the stored one before it; a stream with a gap stays as it is behind the gap.
 * Z2: its position is that of its command's record. Of a command that came several times it is the record whose log time the event has, else the last one before.
 * Z3: a task that has no snapshot gets that of its creation, and the receipt before it (Y1): the events of bulks are on no topic, so bulks are decided again, and
 * find the tasks that they found then. No later snapshot may be made here: what it has passed would leave no receipt.
 */
export async function rebuildEvents(ports: RebuildPorts, kept: Kept): Promise<Rebuilt> {
  const rebuilt: Rebuilt = { restored: 0, present: 0, wrong: [] };
  for (const [key, shown] of kept.events) {
    const events = inOrder(shown);
    const wrong = await rebuildStream(ports.events, key, events, kept.records, rebuilt);
    if (events[0]?.sequence === 1) await begin(ports, key, events[0], kept.records); // Z3
    if (wrong !== undefined) rebuilt.wrong.push(`${key}: ${wrong}`);
  }
  return rebuilt;
}

/** Returns why it stopped, if it did. */
async function rebuildStream(
  events: Pick<EventStore, 'read' | 'append'>,
  key: string,
  shown: OpenEvent[],
  records: Kept['records'],
  rebuilt: Rebuilt,
): Promise<string | undefined> {
  const hashes = await storedHashes(events, key, (shown[0]?.sequence ?? 1) - 1, shown.at(-1)?.sequence ?? 0);
  hashes.set(0, NO_HASH);
  for (const open of shown) {
    const { sequence, hash, previousHash } = open;
    const there = hashes.get(sequence);
    if (there === hash) {
      rebuilt.present++;
      continue;
    }
    if (there !== undefined) return `the store has another event ${sequence} than the topic`;
    if (hashes.get(sequence - 1) !== previousHash) return `event ${sequence} does not follow what is stored`; // Z1
    const stored = storedForm(key, open, records);
    if (typeof stored === 'string') return `event ${sequence} ${stored}`;
    await events.append([stored]);
    hashes.set(sequence, hash);
    rebuilt.restored++;
  }
  return undefined;
}

/** Z3. */
async function begin(
  { events, receipts, snapshots, decider }: RebuildPorts,
  key: string,
  { commandId }: OpenEvent,
  records: Kept['records'],
): Promise<void> {
  if ((await snapshots.load([key])).size > 0) return;
  const [created] = await events.read(key, { from: 1, to: 1, limit: 1, order: 'asc' });
  const record = records.get(recordName(key, commandId))?.find(({ position }) => position.offset === created?.position.offset);
  if (created === undefined || record === undefined) return;
  const aggregate = aggregateAt(key, EMPTY_HEAD, undefined);
  apply(aggregate, decider, created);
  const made = nothingMade(aggregate);
  const outcome = decider.answer(created.event, aggregate.state);
  if (outcome.kind !== 'deferred') keepReceipt(record, made, commandId, 1, outcome);
  const decided = toDecided([made], decider, created.position.partition);
  await receipts.put(decided.receipts);
  await snapshots.save(decided.snapshots);
}

/** Events come to the topic at least once, and may step back. */
const inOrder = (shown: OpenEvent[]): OpenEvent[] =>
  [...new Map(shown.map((event) => [event.sequence, event])).values()].toSorted((left, right) => left.sequence - right.sequence);

async function storedHashes(events: Pick<EventStore, 'read'>, key: string, from: number, to: number): Promise<Map<number, string>> {
  const hashes = new Map<number, string>();
  for (let next = from; next <= to; ) {
    const found = await events.read(key, { from: next, to, limit: READ_AT_ONCE, order: 'asc' });
    for (const { event } of found) hashes.set(event.sequence, event.hash);
    if (found.length < READ_AT_ONCE) break;
    next = (found.at(-1)?.event.sequence ?? to) + 1;
  }
  return hashes;
}

/** The event as it was stored, or what is wrong with it. */
function storedForm(key: string, open: OpenEvent, records: Kept['records']): StoredEvent | string {
  const sealed = sealedForm(open);
  if (sealed === undefined) return 'shows what was not sealed';
  const { hash, ...body } = sealed;
  const { event, json } = sealEvent(body);
  if (event.hash !== hash) return 'has a hash that its content does not make'; // Z1
  const position = positionOf(records.get(recordName(key, event.commandId)) ?? [], Date.parse(event.timestamp));
  return position === undefined ? 'has no record of its command in the work log' : { key, event, json, position };
}

/** Z2. */
function positionOf(records: Received[], at: number): Position | undefined {
  const found = records.find(({ position }) => position.at === at) ?? records.findLast(({ position }) => position.at <= at);
  return found?.position;
}

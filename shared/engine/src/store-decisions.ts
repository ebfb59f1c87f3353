import type { StoredEvent } from '@retrigger/domain/event.ts';
import { partsOfKey } from '@retrigger/domain/identifiers.ts';
import type { Decided } from '@retrigger/ports/decision-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import type { AnyDecider } from './aggregate.ts';
import type { KeyDecisions } from './key-decisions.ts';

/** What steps 4 to 6 write for these decisions: first event of each aggregate, then the second, and so on, so that whatever stops the insert leaves a prefix of each. */
export function toDecided(decisions: Iterable<KeyDecisions>, decider: AnyDecider, partition: number): Decided {
  const decided: Decided = { events: [], receipts: [], snapshots: [] };
  const streams: StoredEvent[][] = [];
  for (const { aggregate, stored, receipts } of decisions) {
    if (stored.length > 0) streams.push(stored);
    decided.receipts.push(...receipts);
    if (aggregate.state !== undefined && aggregate.head.sequence > aggregate.loaded.head.sequence)
      decided.snapshots.push(snapshotOf(aggregate.key, aggregate.state, aggregate.head, decider, partition));
  }
  decided.events = firstOfEachFirst(streams);
  return decided;
}

/** The events of some aggregates, each in its order: first the first of each, then the second of each, and so on. */
export function firstOfEachFirst(streams: StoredEvent[][]): StoredEvent[] {
  const events: StoredEvent[] = [];
  for (let round = 0; streams.some((stream) => stream.length > round); round++) {
    for (const stream of streams) {
      const event = stream[round];
      if (event !== undefined) events.push(event);
    }
  }
  return events;
}

function snapshotOf(key: string, state: unknown, head: Snapshot['head'], decider: AnyDecider, partition: number): Snapshot {
  const { dueAt: _, ...lookup } = decider.lookup(state);
  return { key, ...partsOfKey(key), partition, head, state, ...lookup };
}

import type { Decided, DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { AppendOutcome } from '@retrigger/ports/event-store.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { firstOfEachFirst } from './store-decisions.ts';

/** A write that has so many events takes nobody else's in. */
const MOST_EVENTS = 500;

type Waiting = { decided: Decided; resolve(outcome: AppendOutcome): void; reject(error: unknown): void };

/**
 * One write on its way at a time; what is decided meanwhile, on whatever partitions, goes together in the next. For stores whose writes cost round trips and a
 * commit, however much is in them. Batches that run at once are of different partitions, so no two of them write about one key.
 * J1: each caller is told of conflicts of its own keys only.
 * J2: when a write of several callers fails, each is tried alone: what can't be stored fails whoever decided it and nobody else. Every write may be done twice.
 * `begin` calls back when everybody who decides in this turn of the event loop has done so.
 */
export function writeTogether(
  store: DecisionStore,
  observer: Pick<Observer, 'measure'>,
  begin: (write: () => void) => void = setImmediate,
): DecisionStore {
  const waiting: Waiting[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const some = takeSome(waiting);
      await writeSome(store, some);
      observer.measure(
        'write_size_events',
        some.reduce((sum, { decided }) => sum + decided.events.length, 0),
        {},
      );
    }
    isWriting = false;
  }

  return {
    write(decided) {
      return new Promise((resolve, reject) => {
        waiting.push({ decided, resolve, reject });
        if (isWriting) return;
        isWriting = true;
        begin(() => void writeAll());
      });
    },
  };
}

/** Those that waited longest, at least one. */
function takeSome(waiting: Waiting[]): Waiting[] {
  let [count, events] = [0, 0];
  do events += waiting[count++]?.decided.events.length ?? 0;
  while (count < waiting.length && events + (waiting[count]?.decided.events.length ?? 0) <= MOST_EVENTS);
  return waiting.splice(0, count);
}

/** Never rejects: whoever waits is told. */
async function writeSome(store: DecisionStore, some: Waiting[]): Promise<void> {
  try {
    const outcome = await store.write(together(some));
    for (const { decided, resolve } of some) resolve(ownPart(outcome, decided));
  } catch (error) {
    const [only, ...others] = some;
    if (others.length === 0) only?.reject(error);
    else await Promise.all(some.map((one) => writeSome(store, [one]))); // J2
  }
}

function together(some: Waiting[]): Decided {
  const [only, ...others] = some.map(({ decided }) => decided);
  if (only === undefined || others.length === 0) return only ?? { events: [], receipts: [], snapshots: [] };
  const all = [only, ...others];
  const streams = Map.groupBy(
    all.flatMap(({ events }) => events),
    ({ key }) => key,
  );
  return {
    events: firstOfEachFirst([...streams.values()]),
    receipts: all.flatMap(({ receipts }) => receipts),
    snapshots: all.flatMap(({ snapshots }) => snapshots),
  };
}

/** J1. */
function ownPart(outcome: AppendOutcome, { events }: Decided): AppendOutcome {
  if (outcome.kind === 'stored') return outcome;
  const keys = new Set(events.flatMap(({ key }) => (outcome.keys.has(key) ? [key] : [])));
  return keys.size === 0 ? { kind: 'stored' } : { kind: 'conflict', keys };
}

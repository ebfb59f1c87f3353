import type { RecordHandler } from '@retrigger/ports/log.ts';
import type { AnyDecider } from './aggregate.ts';
import { AggregateCache } from './aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from './apply-batch.ts';
import { FairWindow } from './fair-window.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { KeyDecisions } from './key-decisions.ts';
import type { WakeUps } from './wake-ups.ts';

/** Aggregates that one worker remembers, over all its partitions, and about how much memory they take at most. */
const CACHED_AGGREGATES = 20_000;
const CACHED_BYTES = 64 * 1_048_576;

/** `sliceRecords`: how many are decided at once; undefined = as many as measured best. */
export type WorkHandlerBounds = { partitionCount: number; sliceRecords?: number | undefined };

/**
 * The owner of some partitions of the work log. Every assignment starts with an empty cache (C1), an empty window (FairWindow) and with the partition's due times
 * (K1), and only when what ran under an earlier one has ended.
 */
export function workHandler(
  ports: WorkerPorts,
  { partitionCount, sliceRecords }: WorkHandlerBounds,
  housekeeping: Housekeeping,
  wakeUps: WakeUps,
): RecordHandler {
  const windows = new Map<number, FairWindow>();
  const ending = new Map<number, Promise<void>>();
  const capacity = Math.ceil(CACHED_AGGREGATES / partitionCount);
  const mostBytes = CACHED_BYTES / partitionCount;
  const open = (partition: number): FairWindow => {
    const cache = new AggregateCache(capacity, mostBytes);
    const silentSince = (key: string, at: number) => wakeUps.silentSince(key, partition, at);
    const window: FairWindow = new FairWindow(
      async (records, finish) => {
        const notBefore = housekeeping.notBefore(partition); // T2: one slice runs at a time, and nothing else moves the mark
        const decisions = [...(await applyBatch(ports, cache, partition, records, finish, silentSince, notBefore))];
        if (window.isClosed) return;
        housekeeping.stored(partition, newestOf(decisions));
        settle(ports.decider, wakeUps, decisions, partition);
      },
      (at) => housekeeping.passed(partition, at),
      ports,
      sliceRecords,
    );
    return window;
  };
  return {
    async assigned(partitions) {
      await Promise.all(partitions.map((partition) => ending.get(partition)));
      for (const partition of partitions) windows.set(partition, open(partition));
      await housekeeping.assigned(partitions);
      await wakeUps.assigned(partitions);
    },
    async revoked(partitions) {
      for (const partition of partitions) {
        const window = windows.get(partition);
        windows.delete(partition);
        if (window !== undefined) ending.set(partition, window.close());
      }
      wakeUps.revoked(partitions);
      housekeeping.lost(partitions);
      await Promise.all(partitions.map((partition) => ending.get(partition)));
    },
    async batch(partition, records, commit) {
      await windows.get(partition)?.add(records, commit);
    },
  };
}

/** The timestamp of the newest event, in epoch ms; 0 = there is none. */
function newestOf(decisions: Iterable<KeyDecisions>): number {
  let newest = 0;
  for (const { aggregate, emitted } of decisions) if (emitted.length > 0) newest = Math.max(newest, aggregate.head.at);
  return newest;
}

function settle(decider: AnyDecider, wakeUps: WakeUps, decisions: Iterable<KeyDecisions>, partition: number): void {
  for (const { aggregate, emitted, heardAt, wokenAt: landedAt } of decisions) {
    if (aggregate.state === undefined) continue;
    if (heardAt !== null) wakeUps.heartbeat(aggregate.key, heardAt);
    const { wakeAt, wakeKind, dueAt } = decider.lookup(aggregate.state);
    wakeUps.settle({ key: aggregate.key, partition, wakeAt, wakeKind, dueAt, landedAt, hasChanged: emitted.length > 0 });
  }
}

import type { RecordHandler } from '@retrigger/ports/log.ts';
import type { AnyDecider } from './aggregate.ts';
import { AggregateCache } from './aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from './apply-batch.ts';
import type { KeyDecisions } from './decide-batch.ts';
import { FairWindow } from './fair-window.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { WakeUps } from './wake-ups.ts';

/** Aggregates that one worker remembers, over all its partitions. */
const CACHED_AGGREGATES = 20_000;

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
  const open = (partition: number): FairWindow => {
    const cache = new AggregateCache(capacity);
    const silentSince = (key: string) => wakeUps.silentSince(key, partition);
    const window: FairWindow = new FairWindow(
      async (records, finish) => {
        const decisions = await applyBatch(ports, cache, partition, records, finish, silentSince);
        if (!window.isClosed) settle(ports.decider, wakeUps, decisions, partition);
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

function settle(decider: AnyDecider, wakeUps: WakeUps, decisions: Iterable<KeyDecisions>, partition: number): void {
  for (const { aggregate, emitted, heardAt, wokenAt: landedAt } of decisions) {
    if (aggregate.state === undefined) continue;
    if (heardAt !== null) wakeUps.heartbeat(aggregate.key, heardAt);
    const { wakeAt, wakeKind, dueAt } = decider.lookup(aggregate.state);
    wakeUps.settle({ key: aggregate.key, partition, wakeAt, wakeKind, dueAt, landedAt, hasChanged: emitted.length > 0 });
  }
}

import type { RecordHandler } from '@retrigger/ports/log.ts';
import type { AnyDecider } from './aggregate.ts';
import { AggregateCache } from './aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from './apply-batch.ts';
import type { KeyDecisions } from './decide-batch.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { WakeUps } from './wake-ups.ts';

/** Aggregates that one worker remembers, over all its partitions. */
const CACHED_AGGREGATES = 20_000;

/** The owner of some partitions of the work log. Every assignment starts with an empty cache (C1) and with the partition's due times (K1). */
export function workHandler(ports: WorkerPorts, partitionCount: number, housekeeping: Housekeeping, wakeUps: WakeUps): RecordHandler {
  const caches = new Map<number, AggregateCache>();
  const capacity = Math.ceil(CACHED_AGGREGATES / partitionCount);
  return {
    async assigned(partitions) {
      for (const partition of partitions) caches.set(partition, new AggregateCache(capacity));
      await housekeeping.assigned(partitions);
      await wakeUps.assigned(partitions);
    },
    async revoked(partitions) {
      for (const partition of partitions) caches.delete(partition);
      wakeUps.revoked(partitions);
      housekeeping.lost(partitions);
    },
    async batch(partition, records, commit) {
      const cache = caches.get(partition) ?? new AggregateCache(capacity);
      const silentSince = (key: string) => wakeUps.silentSince(key, partition);
      const notBefore = housekeeping.notBefore(partition);
      let isOwner = false;
      const commitAndTell = async (next: number) => {
        isOwner = await commit(next);
      };
      const decisions = [...(await applyBatch(ports, cache, partition, records, commitAndTell, silentSince, notBefore))];
      if (records.length === 0 || !caches.has(partition)) return;
      settle(ports.decider, wakeUps, decisions, partition);
      const passedAt = records.reduce((latest, { at }) => Math.max(latest, at), 0);
      if (isOwner) housekeeping.passed(partition, passedAt, newestOf(decisions)); // T1
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

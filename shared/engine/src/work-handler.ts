import type { RecordHandler } from '@retrigger/ports/log.ts';
import { AggregateCache } from './aggregate-cache.ts';
import { applyBatch, type WorkerPorts } from './apply-batch.ts';
import type { Housekeeping } from './housekeeping.ts';

/** Aggregates that one worker remembers, over all its partitions. */
const CACHED_AGGREGATES = 20_000;

/** The owner of some partitions of the work log. Every assignment starts with an empty cache (C1). */
export function workHandler(ports: WorkerPorts, partitionCount: number, housekeeping: Housekeeping): RecordHandler {
  const caches = new Map<number, AggregateCache>();
  const capacity = Math.ceil(CACHED_AGGREGATES / partitionCount);
  return {
    async assigned(partitions) {
      for (const partition of partitions) caches.set(partition, new AggregateCache(capacity));
    },
    async revoked(partitions) {
      for (const partition of partitions) caches.delete(partition);
      housekeeping.lost(partitions);
    },
    async batch(partition, records, commit) {
      const cache = caches.get(partition) ?? new AggregateCache(capacity);
      await applyBatch(ports, cache, partition, records, commit);
      const last = records.at(-1);
      if (last !== undefined && caches.has(partition)) housekeeping.passed(partition, last.at);
    },
  };
}

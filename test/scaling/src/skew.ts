import { partitionOfKey } from '@retrigger/kafka/murmur2.ts';
import { seeded } from './seeded.ts';

/** 10 billion over 100,000 tenants. */
const TASKS_PER_TENANT = 100_000;
/** Three seconds of a cell. */
const DRAWS = 300_000;

/** Shares of tenants of which the n-th largest has 1/n of the largest (Zipf, exponent 1). */
export function tenantShares(tenants: number): Float64Array {
  const shares = Float64Array.from({ length: tenants }, (_, i) => 1 / (i + 1));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

/** Commands on each partition, by Kafka's hash of the record's key, of a sample whose tenants are that unequal. */
export function commandsByPartition(
  tenants: number,
  partitions: number,
  keyOf: (tenant: number, task: number) => string,
  seed: number,
): number[] {
  const chance = seeded(seed);
  const upTo = cumulated(tenantShares(tenants));
  const encoder = new TextEncoder();
  const counts = Array.from({ length: partitions }, () => 0);
  for (let i = 0; i < DRAWS; i++) {
    const tenant = placeOf(upTo, chance());
    const partition = partitionOfKey(encoder.encode(keyOf(tenant, Math.floor(chance() * TASKS_PER_TENANT))), partitions);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  return counts;
}

/** The key of a task's records. */
export const keyOfTask = (tenant: number, task: number): string => `tenant-${tenant}/task-${task}`;
/** The road not taken: everything of a tenant on one partition. */
export const keyOfTenant = (tenant: number): string => `tenant-${tenant}`;

export const hottest = (counts: number[]): number => (Math.max(...counts) * counts.length) / counts.reduce((sum, count) => sum + count, 0);

/** Load of the busiest of so many cells, of their mean: each tenant, the largest first, goes where there is least. */
export function hottestCell(tenants: number, cells: number): number {
  const loads = Array.from({ length: cells }, () => 0);
  for (const share of tenantShares(tenants)) {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + share;
  }
  return Math.max(...loads) * cells;
}

function cumulated(shares: Float64Array): Float64Array {
  let sum = 0;
  return shares.map((share) => {
    sum += share;
    return sum;
  });
}

/** The first place whose cumulated share is above the number. */
function placeOf(upTo: Float64Array, number: number): number {
  let [low, high] = [0, upTo.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((upTo[middle] ?? 1) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

import type { Numbers } from './numbers.ts';
import type { Plan } from './plan.ts';
import type { WorkerLoad } from './worker-queue.ts';

/**
 * The worker that has most to do when partitions are dealt out in turn, as the group's assignment does. `counts` are commands by partition, as unequal as a
 * sample has them (skew.ts).
 */
export function busiestWorker(
  numbers: Numbers,
  { workers, commandsPerSecond }: Plan,
  counts: number[],
  lost = 0,
): WorkerLoad & { coreShare: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const owned = Array.from({ length: workers - lost }, (): number[] => []);
  for (const [partition, count] of counts.entries()) owned[partition % owned.length]?.push((commandsPerSecond * count) / total);
  const sum = (rates: number[]) => rates.reduce((all, rate) => all + rate, 0);
  const rates = owned.sort((a, b) => sum(b) - sum(a))[0] ?? [];
  const recordMs = numbers.workerMicros / 1_000;
  return { rates, recordMs, batchMs: numbers.batchMs, sliceRecords: numbers.sliceRecords, coreShare: (sum(rates) * recordMs) / 1_000 };
}

import { seeded } from './seeded.ts';

export type WorkerLoad = {
  /** Commands per second on each partition that the worker owns. */
  rates: number[];
  /** Processor time of a command; what a batch waits for besides (store, log), milliseconds. */
  recordMs: number;
  batchMs: number;
  sliceRecords: number;
};

const SECONDS = 20;

type Partition = { arrivals: number[]; next: number; freeAt: number };

/**
 * Milliseconds that commands spend with a worker: each partition takes what waits, up to a slice, as one batch; batches of different partitions share the
 * process's one thread and wait for store and log beside each other. Commands come by chance (Poisson).
 */
export function timesWith({ rates, recordMs, batchMs, sliceRecords }: WorkerLoad, seed: number): Float64Array {
  const chance = seeded(seed);
  const partitions = rates.map((rate): Partition => ({ arrivals: arrivalsOf(rate, chance), next: 0, freeAt: 0 }));
  const times: number[] = [];
  for (let threadFreeAt = 0; ; ) {
    const first = partitions.filter(({ arrivals, next }) => next < arrivals.length).sort((a, b) => readyAt(a) - readyAt(b))[0];
    if (first === undefined) return Float64Array.from(times).sort();
    const startAt = Math.max(readyAt(first), threadFreeAt);
    const waiting = countUpTo(first, startAt, sliceRecords);
    threadFreeAt = startAt + waiting * recordMs;
    const doneAt = threadFreeAt + batchMs;
    for (const arrival of first.arrivals.slice(first.next, first.next + waiting)) times.push(doneAt - arrival);
    first.next += waiting;
    first.freeAt = doneAt;
  }
}

export const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

const readyAt = ({ arrivals, next, freeAt }: Partition): number => Math.max(freeAt, arrivals[next] ?? Number.POSITIVE_INFINITY);

function arrivalsOf(perSecond: number, chance: () => number): number[] {
  const arrivals: number[] = [];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - chance()) * 1_000) / perSecond;
    if (at > SECONDS * 1_000) return arrivals;
    arrivals.push(at);
  }
}

function countUpTo({ arrivals, next }: Partition, at: number, most: number): number {
  let count = 1;
  while (count < most && (arrivals[next + count] ?? Number.POSITIVE_INFINITY) <= at) count++;
  return count;
}

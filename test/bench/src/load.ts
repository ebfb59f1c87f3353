import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Pace, Tick } from './pace-thread.ts';

/** Milliseconds of the monotonic clock that all processes of a machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export type Percentiles = { p50: number; p95: number; p99: number; max: number };

export function percentiles(values: number[]): Percentiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

const round = (value: number): number => Math.round(value * 100) / 100;

export const perSecond = (count: number, ms: number): number => Math.round((count / ms) * 1000);

export const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** `inFlight` callers, each of which sends its next call when its last one was answered. */
export async function closedLoop(count: number, inFlight: number, call: (index: number) => Promise<void>): Promise<number> {
  const startedAt = now();
  let next = 0;
  const lane = async () => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  return now() - startedAt;
}

/** Calls at fixed times, whether or not earlier ones were answered. Latency counts from the intended time, so a stall is not left out. */
export async function openLoop(
  perSecondRate: number,
  count: number,
  call: (index: number, intended: number) => Promise<void>,
): Promise<number[]> {
  const latencies: number[] = [];
  const calls: Promise<void>[] = [];
  const workerData: Pace = { everyMs: 1000 / perSecondRate, count };
  const pace = new Worker(new URL('./pace-thread.ts', import.meta.url), {
    workerData,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  pace.on('message', ([index, intended]: Tick) => {
    calls.push(call(index, intended).then(() => void latencies.push(now() - intended)));
  });
  await once(pace, 'exit');
  await Promise.all(calls);
  return latencies;
}

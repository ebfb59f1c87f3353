// Says when it is time for the next call, as a thread of its own: a timer of Node's is up to 2 ms late, which would count as the subject's.
import { parentPort, workerData } from 'node:worker_threads';
import { now } from './load.ts';

/** So many ticks, at these distances. */
export type Pace = { everyMs: number; count: number };
/** A tick and the time for which it was meant. */
export type Tick = [index: number, at: number];

const FIRST_AFTER_MS = 20;

const { everyMs, count } = workerData as Pace;
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
const startAt = now() + FIRST_AFTER_MS;
for (let index = 0; index < count; index++) {
  const at = startAt + index * everyMs;
  const leftMs = at - now();
  if (leftMs > 0) Atomics.wait(nobodyWakes, 0, 0, leftMs);
  parentPort?.postMessage([index, at] satisfies Tick);
}

import { closedLoop, openLoop, type Percentiles, percentiles } from '../load.ts';
import type { System } from '../systems/system.ts';
import { until } from '../systems/worker-process.ts';

const WARM_UP = 1_000;

/** W2: so many triggers a second at fixed times. Milliseconds from the intended send time to the answer, and to the first line of the run in the worker process. */
export async function latency(system: System, { rate, seconds }: { rate: number; seconds: number }) {
  const count = rate * seconds;
  await system.register('warm', WARM_UP);
  await closedLoop(WARM_UP, 8, (i) => system.trigger(`warm-${i}`));
  await system.completed(WARM_UP);
  return paced(system, 'timed', rate, count);
}

/** The measured part, for tasks of a name that nobody else uses. */
export async function paced(
  system: Pick<System, 'register' | 'trigger' | 'worker'>,
  name: string,
  rate: number,
  count: number,
): Promise<{ acceptMs: Percentiles; startMs: Percentiles }> {
  await system.register(name, count);
  const intended = new Map<string, number>();
  const startedAt = new Map<string, number>();
  system.worker.onStarted((task, at) => startedAt.has(task) || startedAt.set(task, at));
  const accept = await openLoop(rate, count, (i, at) => {
    intended.set(`${name}-${i}`, at);
    return system.trigger(`${name}-${i}`);
  });
  const isStarted = () => [...intended.keys()].every((task) => startedAt.has(task));
  await until('every one started', isStarted);
  const start = [...intended].map(([task, at]) => (startedAt.get(task) ?? Number.NaN) - at);
  return { acceptMs: percentiles(accept), startMs: percentiles(start) };
}

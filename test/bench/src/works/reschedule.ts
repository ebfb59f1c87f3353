import { closedLoop, now, openLoop, type Percentiles, percentiles, perSecond } from '../load.ts';
import type { System } from '../systems/system.ts';
import { until } from '../systems/worker-process.ts';

const IN_FLIGHT = 64;
const HOUR_MS = 3_600_000;
const SOON_MS = 300;
const MOVED = 200;

/** W6: tasks with a run in an hour each get another delay, 64 in flight. Then 200 are moved to 300 ms: just those must run. */
export async function reschedule(system: System, { count }: { count: number }) {
  const ran = new Set<string>();
  system.worker.onStarted((task) => ran.add(task));
  await system.register('moved', count);
  const scheduleMs = await closedLoop(count, IN_FLIGHT, (i) => system.schedule(`moved-${i}`, HOUR_MS));
  const times: number[] = [];
  const ms = await closedLoop(count, IN_FLIGHT, async (i) => {
    const from = now();
    await system.reschedule(`moved-${i}`, 2 * HOUR_MS);
    times.push(now() - from);
  });
  const step = Math.floor(count / MOVED);
  await closedLoop(MOVED, 16, (i) => system.reschedule(`moved-${i * step}`, SOON_MS));
  await until('the 200 that were moved', () => ran.size >= MOVED);
  return {
    scheduledPerSecond: perSecond(count, scheduleMs),
    rescheduledPerSecond: perSecond(count, ms),
    callMs: percentiles(times),
    ran: ran.size,
    mustRun: MOVED,
  };
}

/** The same at so many a second, from the intended send time to the answer, milliseconds. */
export async function paceOfReschedules(system: System, { rate, seconds }: { rate: number; seconds: number }): Promise<Percentiles> {
  await system.register('paced', rate * seconds);
  return percentiles(await openLoop(rate, rate * seconds, (i) => system.reschedule(`paced-${i}`, HOUR_MS)));
}

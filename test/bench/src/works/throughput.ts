import { closedLoop, now, perSecond } from '../load.ts';
import { processorMs, processorMsOfTree } from '../machine.ts';
import type { System } from '../systems/system.ts';

const IN_FLIGHT = 64;
const WARM_UP = 1_000;

/**
 * W1: triggers from one process, 64 in flight, while one worker process runs them: answers per second, and recorded completions per second from the first call on.
 * `processorMicros`: of each process for each trigger and its run, and of all; a busy machine changes it much less than the rates.
 */
export async function throughput(system: System, { count }: { count: number }) {
  await system.register('warm', WARM_UP);
  await system.register('run', count);
  await closedLoop(WARM_UP, IN_FLIGHT, (i) => system.trigger(`warm-${i}`));
  await system.completed(WARM_UP);
  const spent = spentBy({ caller: process.pid, ...system.pids });
  const from = now();
  const acceptMs = await closedLoop(count, IN_FLIGHT, (i) => system.trigger(`run-${i}`));
  const completeMs = (await system.completed(WARM_UP + count)) - from;
  const processorMicros = spent(count);
  return { processorMicros, acceptedPerSecond: perSecond(count, acceptMs), completedPerSecond: perSecond(count, completeMs) };
}

/** Microseconds since now of each process and what it has started, by `count`. The caller has started all of them. */
function spentBy(pids: { [part: string]: number }): (count: number) => { [part: string]: number } {
  const read = ([part, pid]: [string, number]) => [part, part === 'caller' ? processorMs(pid) : processorMsOfTree(pid)] as const;
  const before = new Map(Object.entries(pids).map(read));
  return (count) => {
    const spent = Object.entries(pids).map((entry) => {
      const [part, after] = read(entry);
      return [part, Math.round((1_000 * (after - (before.get(part) ?? 0))) / count)] as const;
    });
    return { ...Object.fromEntries(spent), all: spent.reduce((sum, [, micros]) => sum + micros, 0) };
  };
}

import { closedLoop, now, perSecond } from '../load.ts';
import { processorMsOfTree } from '../machine.ts';
import type { System } from '../systems/system.ts';

const IN_FLIGHT = 64;
const WARM_UP = 1_000;

/**
 * W1: triggers from one process, 64 in flight, while one worker process runs them: answers per second, and recorded completions per second from the first call on.
 * `processorMicros`: of caller, server and worker together, for each; a busy machine changes it much less than the rates.
 */
export async function throughput(system: System, { count }: { count: number }) {
  await system.register('warm', WARM_UP);
  await system.register('run', count);
  await closedLoop(WARM_UP, IN_FLIGHT, (i) => system.trigger(`warm-${i}`));
  await system.completed(WARM_UP);
  const before = processorMsOfTree(process.pid);
  const from = now();
  const acceptMs = await closedLoop(count, IN_FLIGHT, (i) => system.trigger(`run-${i}`));
  const completeMs = (await system.completed(WARM_UP + count)) - from;
  const processorMicros = Math.round((1_000 * (processorMsOfTree(process.pid) - before)) / count);
  return { processorMicros, acceptedPerSecond: perSecond(count, acceptMs), completedPerSecond: perSecond(count, completeMs) };
}

import { closedLoop } from '../load.ts';
import type { System } from '../systems/system.ts';
import { until } from '../systems/worker-process.ts';

const PAIRS_IN_FLIGHT = 32;
const QUIET_MS = 2_000;

/** W4: every key twice at once, and once more when all is over, as by a client that had no answer. Right is one run for each key, and none after that. */
export async function duplicates(system: System, { keys }: { keys: number }) {
  const runs = new Map<string, number>();
  system.worker.onStarted((task) => runs.set(task, (runs.get(task) ?? 0) + 1));
  await system.register('key', keys);
  let errors = 0;
  const send = (i: number) => system.trigger(`key-${i}`).catch(() => void errors++);
  const total = () => [...runs.values()].reduce((sum, many) => sum + many, 0);
  await closedLoop(keys, PAIRS_IN_FLIGHT, async (i) => void (await Promise.all([send(i), send(i)])));
  await until('a run of every key', () => runs.size >= keys);
  await quiet(total);
  const executions = total();
  await closedLoop(keys, PAIRS_IN_FLIGHT, send);
  await quiet(total);
  return { keys, executions, lateDuplicatesRun: total() - executions, errors };
}

/** Until nothing has changed for two seconds: that something does not come can't be waited for otherwise. */
async function quiet(total: () => number): Promise<void> {
  for (let last = -1; last !== total(); ) {
    last = total();
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  }
}

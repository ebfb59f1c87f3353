import type { Percentiles } from './load.ts';
import { startRetrigger } from './systems/retrigger.ts';
import { duplicates } from './works/duplicates.ts';
import { paced } from './works/latency.ts';
import { paceOfReschedules, reschedule } from './works/reschedule.ts';
import { throughput } from './works/throughput.ts';

const SUSTAINED = 0.7;

type Paced = { acceptMs: Percentiles; startMs: Percentiles };

/** What the executor of shared/client does in a process of its own, by claims over HTTP: the embedded profile has no other way in. */
export type ExecutionFigures = {
  throughput: Awaited<ReturnType<typeof throughput>>;
  /** At 200/s, and at 70 % of the completions per second. */
  paced: Paced;
  sustained: Paced & { ratePerSecond: number };
};

export async function measureExecutions(count: number, rate: number, seconds: number): Promise<ExecutionFigures> {
  const system = await startRetrigger();
  try {
    const most = await throughput(system, { count });
    const ratePerSecond = Math.round(SUSTAINED * most.completedPerSecond);
    return {
      throughput: most,
      paced: await paced(system, 'paced', rate, rate * seconds),
      sustained: { ratePerSecond, ...(await paced(system, 'sustained', ratePerSecond, ratePerSecond * seconds)) },
    };
  } finally {
    await system.stop();
  }
}

export type RescheduleFigures = Awaited<ReturnType<typeof reschedule>> & { pacedMs: Percentiles };

export async function measureReschedules(count: number, rate: number, seconds: number): Promise<RescheduleFigures> {
  const system = await startRetrigger();
  try {
    return { ...(await reschedule(system, { count })), pacedMs: await paceOfReschedules(system, { rate, seconds }) };
  } finally {
    await system.stop();
  }
}

export async function measureDuplicates(keys: number): Promise<Awaited<ReturnType<typeof duplicates>>> {
  const system = await startRetrigger();
  try {
    return await duplicates(system, { keys });
  } finally {
    await system.stop();
  }
}

import type { System } from '../systems/system.ts';
import type { Figures } from '../table.ts';
import { bulk } from './bulk.ts';
import { duplicates } from './duplicates.ts';
import { latency } from './latency.ts';
import { reschedule } from './reschedule.ts';
import { throughput } from './throughput.ts';

export type Sizes = { count: number; rate: number; seconds: number };

/** What systems are measured at, by the name that the command line has for it. */
export const WORKS: { [name: string]: (system: System, sizes: Sizes) => Promise<Figures> } = {
  throughput: (system, { count }) => throughput(system, { count }),
  latency: (system, { rate, seconds }) => latency(system, { rate, seconds }),
  bulk: (system, { count }) => bulk(system, { calls: Math.max(20, Math.round(count / 100)) }),
  duplicates: (system, { count }) => duplicates(system, { keys: Math.round(count / 4) }),
  reschedule: (system, { count }) => reschedule(system, { count }),
};

import { serversIn } from '../cluster/costs.ts';
import { now } from '../load.ts';
import { processorMs } from '../machine.ts';
import type { Watched } from './processes.ts';

/**
 * From now until what it returns is called. That returns what says how much processor time one event has cost each part, and how much of the cores all of it took:
 * where that is everything, that is the bound.
 */
export function watchProcessors(processes: Watched[], cores: number): () => (events: number) => string {
  const servers = serversIn(process.env.RETRIGGER_CLUSTER_DIR);
  const parts = new Map([...processes.map(({ name, pid }): [string, number] => [name, pid]), ...servers, ['the load itself', process.pid]]);
  const before = new Map([...parts].map(([name, pid]) => [name, processorMs(pid)]));
  const from = now();
  return () => {
    const ms = now() - from;
    const spent = [...parts].map(([name, pid]): [string, number] => [name, processorMs(pid) - (before.get(name) ?? 0)]);
    const all = spent.reduce((sum, [, ms]) => sum + ms, 0);
    const each = (events: number) => spent.map(([name, own]) => `${name} ${Math.round((1_000 * own) / events)}`).join(', ');
    return (events) => `processor µs an event: ${each(events)}; together ${Math.round((100 * all) / ms / cores)} % of ${cores} cores`;
  };
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processorMs } from '../machine.ts';

/** Microseconds of processor time for one command, by process. */
export type Costs = { [part: string]: number };

/** The services that `npm run start:cluster` with this pid has started, and the servers of the local cluster in the folder, by name. */
export function partsOf(starter: number, clusterFolder: string | undefined): Map<string, number> {
  const children = readFileSync(`/proc/${starter}/task/${starter}/children`, 'utf8').trim().split(' ').map(Number);
  const services = children.flatMap((pid): [string, number][] => {
    const name = /services\/([a-z]+)\/src/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1];
    return name === undefined ? [] : [[name, pid]];
  });
  const servers = clusterFolder === undefined || !existsSync(clusterFolder) ? [] : readdirSync(clusterFolder);
  const pids = servers.flatMap((name): [string, number][] => {
    const file = join(clusterFolder ?? '', name, 'pid');
    return existsSync(file) ? [[name, Number(readFileSync(file, 'utf8').split(' ')[0])]] : [];
  });
  return new Map([...services, ...pids]);
}

/** What each part spends while `work` runs, for each of `commands`. A busy machine changes it little, unlike everything that is read off a clock. */
export async function costsOf<T>(
  parts: Map<string, number>,
  commands: number,
  work: () => Promise<T>,
): Promise<{ result: T; costs: Costs }> {
  const before = new Map([...parts].map(([name, pid]) => [name, processorMs(pid)]));
  const result = await work();
  const spent = [...parts].map(([name, pid]) => [name, Math.round((1_000 * (processorMs(pid) - (before.get(name) ?? 0))) / commands)]);
  return { result, costs: Object.fromEntries(spent) };
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { now } from '../load.ts';
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
  return new Map([...services, ...serversIn(clusterFolder)]);
}

export function serversIn(clusterFolder: string | undefined): [string, number][] {
  const servers = clusterFolder === undefined || !existsSync(clusterFolder) ? [] : readdirSync(clusterFolder);
  return servers.flatMap((name): [string, number][] => {
    const file = join(clusterFolder ?? '', name, 'pid');
    return existsSync(file) ? [[name, Number(readFileSync(file, 'utf8').split(' ')[0])]] : [];
  });
}

/** Processor time of each part, and what it spends a millisecond when nobody asks for anything. */
export type Parts = Map<string, { pid: number; idle: number }>;

const IDLE_MS = 5_000;

export async function idleParts(pids: Map<string, number>): Promise<Parts> {
  const before = new Map([...pids].map(([name, pid]) => [name, processorMs(pid)]));
  const from = now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const ms = now() - from;
  return new Map([...pids].map(([name, pid]) => [name, { pid, idle: (processorMs(pid) - (before.get(name) ?? 0)) / ms }]));
}

/**
 * What each part spends on each of `commands` while `work` runs, without what it spends when idle. A busy machine changes it little, unlike everything that is
 * read off a clock.
 */
export async function costsOf<T>(parts: Parts, commands: number, work: () => Promise<T>): Promise<{ result: T; costs: Costs }> {
  const before = new Map([...parts].map(([name, { pid }]) => [name, processorMs(pid)]));
  const from = now();
  const result = await work();
  const ms = now() - from;
  const spent = [...parts].map(([name, { pid, idle }]) => {
    const own = processorMs(pid) - (before.get(name) ?? 0) - idle * ms;
    return [name, Math.max(0, Math.round((1_000 * own) / commands))] as const;
  });
  return { result, costs: Object.fromEntries(spent) };
}

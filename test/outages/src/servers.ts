import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cluster } from '@retrigger/test-cluster/servers.ts';
import type { Part } from './stated.ts';

/** The servers by what readiness calls them. */
export const SERVERS = { kafka: 'kafka', schemaRegistry: 'registry', mongodb: 'mongo', redis: 'redis' } as const satisfies Partial<
  Record<Part, string>
>;
export type Server = keyof typeof SERVERS;

/** How a server goes. `killed`: its connections break and new ones are refused. `frozen`: all stay open, and nothing comes back. */
export type Way = 'killed' | 'frozen';

/** Takes a server away; returns how it comes back. */
export async function takeAway(server: Server, way: Way): Promise<() => Promise<void>> {
  const name = SERVERS[server];
  if (way === 'killed') {
    await cluster('kill', name);
    return async () => void (await cluster('start', name));
  }
  const pid = pidOf(name);
  process.kill(pid, 'SIGSTOP');
  return async () => void process.kill(pid, 'SIGCONT');
}

/** As cluster.sh keeps it. */
const pidOf = (name: string): number =>
  Number.parseInt(readFileSync(join(process.env.RETRIGGER_CLUSTER_DIR ?? '', name, 'pid'), 'utf8'), 10);

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
  await cluster('pause', name);
  return async () => void (await cluster('continue', name));
}

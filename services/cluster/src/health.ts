import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Cluster } from './compose.ts';

export type Health = { kind: 'serving'; stop(): void } | { kind: 'cannot_listen'; message: string };

/** /healthz, /readyz and /metrics of a process that has no door of its own. A port that can't be had is a value. */
export async function serveHealth(
  { settings, readiness, telemetry }: Cluster,
  extra: () => { [dependency: string]: 'up' | 'down' },
): Promise<Health> {
  const { healthPort, host } = settings;
  if (healthPort === 0) return { kind: 'serving', stop() {} };
  const server = createServer(async (request, response) => {
    if (request.url === '/healthz') return response.end('{"status":200,"data":{"state":"alive"}}');
    if (request.url === '/metrics') return response.end(await telemetry.prometheus());
    if (request.url !== '/readyz') return response.writeHead(404).end();
    const dependencies = { ...(await readiness()), ...extra() };
    const isReady = !Object.values(dependencies).includes('down');
    const status = isReady ? 200 : 503;
    return response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status, data: { state: isReady ? 'ready' : 'not_ready', dependencies } }));
  });
  try {
    server.listen(healthPort, host);
    await once(server, 'listening');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      kind: 'cannot_listen',
      message: `retrigger: can not serve health on ${host}:${healthPort} (${why}); set RETRIGGER_HEALTH_PORT to a free port`,
    };
  }
  return {
    kind: 'serving',
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { now } from './load.ts';

/** An HTTP target that does nothing but say when it was called for which task. */
export async function startTarget(called: (taskId: string, at: number) => void): Promise<{ url: string; stop(): void }> {
  const server = createServer((request, response) => {
    const at = now();
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      called(/"taskId":"([^"]+)"/.exec(body)?.[1] ?? '', at);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

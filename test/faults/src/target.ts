import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP target that remembers every call and completes it. It ends no connection: a call on one that has just ended fails, and so does its only attempt. */
export async function startTarget(): Promise<{ url: string; calls: { key: string; executionId: string }[]; stop(): Promise<void> }> {
  const calls: { key: string; executionId: string }[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { taskId, executionId } = JSON.parse(Buffer.concat(chunks).toString());
      calls.push({ key: `default/${taskId}`, executionId });
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ done: taskId }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`,
    calls,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

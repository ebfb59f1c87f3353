import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Call = { headers: IncomingHttpHeaders; body: string };

/** A real HTTP target. Without an answer of its own it hangs until it is told to go on. */
export async function startTarget(answer?: (response: ServerResponse, call: Call) => void) {
  const calls: Call[] = [];
  const held: ServerResponse[] = [];
  let [open, most] = [0, 0];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const call = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      calls.push(call);
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      if (answer === undefined) held.push(response);
      else answer(response, call);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`,
    calls,
    executionIds: () => calls.map(({ body }) => JSON.parse(body).executionId as string),
    /** The most calls that were open at once. */
    most: () => most,
    /** Answers the calls that hang. */
    release(): void {
      for (const response of held.splice(0)) response.end('{"late":true}');
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

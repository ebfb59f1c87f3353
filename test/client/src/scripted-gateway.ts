import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Got = { method: string; url: string; key: string | undefined; lastEventId: string | undefined; body: unknown; at: number };
export type Reply = (response: ServerResponse, got: Got) => void;

/** A gateway that answers as it is told: each reply once, in order; the last one for ever. */
export async function scriptedGateway(...replies: Reply[]) {
  const got: Got[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const key = headers['idempotency-key'] as string | undefined;
      const text = Buffer.concat(chunks).toString();
      const lastEventId = headers['last-event-id'] as string | undefined;
      const one: Got = { method, url, key, lastEventId, body: text === '' ? undefined : JSON.parse(text), at: performance.now() };
      got.push(one);
      replies[Math.min(got.length, replies.length) - 1]?.(response, one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const json = (status: number, body: object, headers: { [name: string]: string } = {}): Reply => {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};

export const success = (data: unknown, status = 200, headers: { [name: string]: string } = {}): Reply =>
  json(status, { status, data }, { 'x-command-id': 'c1', ...headers });

export const refusal = (status: number, code: string, headers: { [name: string]: string } = {}): Reply =>
  json(status, { status, code, title: code, detail: `it is ${code}`, type: 'urn:x', instance: '/x' }, { 'x-command-id': 'c1', ...headers });

/** Server-sent events in these pieces; the connection breaks behind them when `breaks`. */
export const streamed =
  (pieces: string[], { breaks, ...headers }: { breaks: boolean; [name: string]: string | boolean }): Reply =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...(headers as { [name: string]: string }) });
    for (const piece of pieces) await new Promise<void>((resolve) => response.write(piece, () => resolve()));
    if (breaks) response.socket?.destroySoon();
  };

export const hangUp: Reply = (response) => void response.socket?.destroy();
export const silence: Reply = () => {};

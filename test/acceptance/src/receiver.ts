import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Event } from '@retrigger/domain/event.ts';

export type Received = { path: string; headers: IncomingHttpHeaders; body: string /** Epoch milliseconds. */; at: number };

/** How a receiver behaves towards one call. `hang`: it never answers. `reset`: it cuts the connection. `drip`: it sends a byte now and then, for ever. */
export type Behaviour = number | 'hang' | 'reset' | 'drip';

/** The event in a webhook's body. */
export const eventOf = ({ body }: Received): Event => JSON.parse(body).data;

const DRIP_MS = 20;

/** A real HTTP receiver that does as it is told, and remembers every call. */
export async function startReceiver(behave: (call: Received, calls: Received[]) => Behaviour = () => 204) {
  const calls: Received[] = [];
  const sockets = new Set<Socket>();
  const dripping = new Set<NodeJS.Timeout>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers } = request;
      const call = { path: url, headers, body: Buffer.concat(chunks).toString(), at: Date.now() };
      calls.push(call);
      answer(response, behave(call, calls));
    });
  });
  server.on('connection', (socket) => sockets.add(socket));

  function answer(response: ServerResponse, behaviour: Behaviour): void {
    if (behaviour === 'hang') return;
    if (behaviour === 'reset') return void response.socket?.resetAndDestroy();
    if (behaviour !== 'drip') return void response.writeHead(behaviour).end();
    const { socket } = response;
    const timer = setInterval(() => socket?.write('H'), DRIP_MS); // not even a status line comes of it
    dripping.add(timer);
    socket?.on('error', () => {}).on('close', () => clearInterval(timer));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/news`,
    calls,
    /** The calls about one task, in the order in which they came. */
    about: (taskId: string): Received[] => calls.filter((call) => call.body.startsWith('{"type"') && eventOf(call).taskId === taskId),
    async stop(): Promise<void> {
      for (const timer of dripping) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const gone = await startReceiver();
  await gone.stop();
  return gone.url;
}

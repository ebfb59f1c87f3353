import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Event } from '@retrigger/domain/event.ts';

export type Received = { path: string; headers: IncomingHttpHeaders; body: string /** Epoch milliseconds. */; at: number };

/** How a receiver behaves towards one call. `hang`: it never answers. `reset`: it cuts the connection. `drip`: it sends a byte now and then, for ever. */
export type Behaviour = number | 'hang' | 'reset' | 'drip';

/** The event in a webhook's body. */
export const eventOf = ({ body }: Received): Event => JSON.parse(body).data;

export function firstOfEach<T>(all: T[], idOf: (one: T) => string): T[] {
  const seen = new Set<string>();
  return all.filter((one) => !seen.has(idOf(one)) && seen.add(idOf(one)));
}

const DRIP_MS = 20;

/** A real HTTP receiver that does as it is told, and remembers every call. It ends no connection that it is not told to. */
export async function startReceiver(behave: (call: Received, calls: Received[]) => Behaviour = () => 204) {
  const calls: Received[] = [];
  const sockets = new Set<Socket>();
  const dripping = new Set<NodeJS.Timeout>();
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
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
    socket?.write('HTTP/1.1 200 OK\r\nx-slow: ');
    const timer = setInterval(() => socket?.write('o'), DRIP_MS); // the headers never end
    dripping.add(timer);
    socket?.on('error', () => {}).on('close', () => clearInterval(timer));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/news`,
    calls,
    /** The events of one task that were told, in the order in which each came first: delivery is at least once, and a receiver drops what it has. */
    heard: (taskId: string): Event[] =>
      firstOfEach(
        calls.map(eventOf).filter((event) => event.taskId === taskId),
        ({ eventId }) => eventId,
      ),
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

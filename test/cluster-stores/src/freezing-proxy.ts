import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type FreezingProxy = {
  url: string;
  /** From now on the connections that exist carry nothing more and do not end, as when a machine vanishes. New ones work. */
  freeze(): void;
  /** While it is away every connection ends, and new ones end at once, as when the server has died. */
  away(isAway: boolean): void;
  close(): Promise<void>;
};

/** A TCP proxy on loopback to the server of `target`. */
export async function startFreezingProxy(target: string): Promise<FreezingProxy> {
  const url = new URL(target);
  const [hostname, port] = [url.hostname, Number(url.port)];
  const sockets = new Set<Socket>();
  let isAway = false;
  const server = createServer((near) => {
    if (isAway) return near.destroy();
    const far = connect(port, hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
    return near;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  url.port = String(address.port);
  return {
    url: url.href,
    freeze() {
      for (const socket of sockets) socket.unpipe();
    },
    away(yes) {
      isAway = yes;
      if (yes) for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

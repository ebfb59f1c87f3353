/**
 * Preloaded into a process (`--import`): connections to a server go through the proxy that stands in front of it. Needed because Kafka tells its clients its own
 * address. `CHAOS_WAYS`: JSON, the proxy's `host:port` by the server's.
 */
import { Socket } from 'node:net';

type Target = { host?: string; port?: number | string; path?: string };

const ways: { [address: string]: string } = JSON.parse(process.env.CHAOS_WAYS ?? '{}');
const original = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;

function redirected<T extends Target>(target: T): T {
  const way = ways[`${target.host ?? 'localhost'}:${target.port}`];
  if (way === undefined) return target;
  const [host, port] = way.split(':');
  return { ...target, host, port: Number(port) };
}

/** Node's own `net.connect` hands over its arguments as one list; everybody else gives an object, or a port and a host. */
function connect(this: Socket, ...args: unknown[]): Socket {
  const [first, second] = args;
  if (Array.isArray(first)) first[0] = redirected(first[0] as Target);
  else if (typeof first === 'object' && first !== null) args[0] = redirected(first as Target);
  else if (typeof second === 'string') {
    const { host, port } = redirected({ host: second, port: first as number });
    [args[0], args[1]] = [port, host];
  }
  return original.apply(this, args);
}
Socket.prototype.connect = connect as Socket['connect'];

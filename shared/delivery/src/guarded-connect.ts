import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { isPrivateAddress } from './private-address.ts';

/** A name, or a literal address, that leads to a private network. */
export class RefusedAddressError extends Error {
  constructor(host: string) {
    super(`${host} is, or leads to, a private address`);
  }
}

/** All addresses of a name, as `dns.lookup` with `all` gives them. */
export type Resolve = (hostname: string, done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

const systemResolve: Resolve = (hostname, done) => dnsLookup(hostname, { all: true }, done);

export type GuardOptions = { allowPrivate: boolean; connectTimeoutMs: number; resolve?: Resolve };

/** Servers close what is idle for 2 s at the least, by their defaults; those that say after how long are believed, less a margin for both sides' delays. */
const KEEP_IDLE = { keepAliveTimeout: 1_000, keepAliveTimeoutThreshold: 2_000 };

/**
 * A pool of kept-alive connections that never reaches a private address.
 * V1: a name is looked up once for a connection, and the socket connects to the very addresses that were checked, so an answer that changes between check and
 * use changes nothing. V2: one private address among a name's answers refuses them all. V3: a literal address is checked too; no lookup sees it.
 */
export function guardedAgent({ allowPrivate, connectTimeoutMs, resolve = systemResolve }: GuardOptions): Agent {
  const connect = buildConnector({ allowH2: false, timeout: connectTimeoutMs, lookup: checkedLookup(allowPrivate, resolve) });
  return new Agent({
    ...KEEP_IDLE,
    headersTimeout: 0, // whoever calls bounds the whole call
    bodyTimeout: 0,
    connect(options, callback) {
      if (!allowPrivate && isIP(options.hostname) !== 0 && isPrivateAddress(options.hostname)) {
        callback(new RefusedAddressError(options.hostname), null); // V3
      } else {
        connect(options, callback);
      }
    },
  });
}

/** V1, V2: the lookup that the socket itself makes. */
function checkedLookup(allowPrivate: boolean, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const first = addresses?.[0];
      if (error !== null) callback(error, '');
      else if (!allowPrivate && addresses.some(({ address }) => isPrivateAddress(address))) callback(new RefusedAddressError(hostname), '');
      else if (options.all === true) callback(null, addresses);
      else if (first === undefined) callback(new Error(`${hostname} has no address`), '');
      else callback(null, first.address, first.family);
    });
  };
}

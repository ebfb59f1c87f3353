import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { Redis, type RedisOptions } from 'ioredis';
import { failureOf, RedisFailure } from './redis-errors.ts';

const CONNECT_WITHIN_MS = 15_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Host, database, user, password and TLS (`rediss:`) are the URL's.
 * N1: a command that can't be sent now, or gets no reply within 1 s, fails; none is kept for later or sent twice, for a charge sent twice is charged twice.
 * N2: a connection that says nothing for 3 s while it owes a reply is given up and made anew; and so on for ever, at most 1 s apart.
 */
const OPTIONS = {
  lazyConnect: true,
  connectTimeout: 3_000,
  commandTimeout: 1_000, // N1
  enableOfflineQueue: false, // N1
  autoResendUnfulfilledCommands: false, // N1
  maxRetriesPerRequest: 0, // N1
  autoResubscribe: false, // whoever subscribes does it at every `ready`, and hears of it
  socketTimeout: 3_000, // N2
  retryStrategy: (attempt: number) => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10)), // N2
  // After a fail-over the old primary answers so; the address may lead to the new one by now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/**
 * A connection that comes back by itself. Each loss and each return is logged once. `prepare` runs whenever it is ready, also the first time, and before
 * this resolves; when it fails, the connection is made anew.
 * @throws RedisFailure when the URL is wrong, the server refuses us, or none answers within 15 s.
 */
export async function connectRedis(
  url: string,
  name: string,
  { clock, observer }: { clock: Clock; observer: Observer },
  prepare: (redis: Redis) => Promise<unknown> = async () => {},
): Promise<Redis> {
  const redis = clientOf(url, name);
  let lost = false;
  return new Promise<Redis>((resolve, reject) => {
    let settled = false;
    const settle = (failure?: RedisFailure) => {
      if (settled) return;
      settled = true;
      cancel();
      if (failure === undefined) return resolve(redis);
      redis.disconnect();
      reject(failure);
    };
    const cancel = clock.timer(clock.now() + CONNECT_WITHIN_MS, () => settle(new RedisFailure('timeout', 'no Redis answered within 15 s')));
    redis.on('error', (error) => {
      const failure = failureOf(error);
      if (!failure.retry) settle(failure);
    });
    redis.on('reconnecting', () => {
      if (settled && !lost) observer.log('warn', 'Redis is lost; connecting again', { connection: name });
      lost = true;
    });
    redis.on('ready', () => {
      prepare(redis).then(
        () => {
          if (settled && lost) observer.log('info', 'Redis is back', { connection: name });
          lost = false;
          settle();
        },
        () => redis.disconnect(true),
      );
    });
    redis.connect().catch(() => {}); // `error` tells why, and it connects again by itself
  });
}

function clientOf(url: string, name: string): Redis {
  try {
    if (!/^rediss?:$/.test(new URL(url).protocol)) throw new TypeError('a Redis address starts with redis:// or rediss://');
    return new Redis(url, { ...OPTIONS, connectionName: name });
  } catch (error) {
    throw new RedisFailure('bad_setting', error);
  }
}

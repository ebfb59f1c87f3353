import type { Clock } from '@retrigger/ports/clock.ts';
import type { Leases } from '@retrigger/ports/leases.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Redis } from 'ioredis';
import { connectRedis } from './redis-connection.ts';
import { failureOf } from './redis-errors.ts';

const PREFIX = 'retrigger:leases:';

/** H1: one step, which `SET … NX GET` is from Redis 7 on only. KEYS: the name. ARGV: the holder, for how long (ms). Returns who has it. */
const TAKE = `
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;

/** H2. KEYS: the name. ARGV: the holder. */
const END = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 0
`;

/** Leases that all processes on one Redis share, by Redis's clock. A Redis that lost its data has forgotten them. */
export class RedisLeases implements Leases {
  readonly #redis: Redis;

  /** @throws RedisFailure when no Redis answers within 15 s. */
  static async open(url: string, context: { clock: Clock; observer: Observer }): Promise<RedisLeases> {
    return new RedisLeases(await connectRedis(url, 'retrigger-leases', context));
  }

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @throws RedisFailure when Redis gives no reply; the lease may then be taken. */
  async take(name: string, holder: string, forMs: number): Promise<string> {
    return String(await this.#run(TAKE, name, holder, forMs));
  }

  /** @throws RedisFailure when Redis gives no reply; the lease may then go on until its time is over. */
  async end(name: string, holder: string): Promise<void> {
    await this.#run(END, name, holder);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #run(script: string, name: string, ...values: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.eval(script, 1, PREFIX + name, ...values);
    } catch (error) {
      throw failureOf(error);
    }
  }
}

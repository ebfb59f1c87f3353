import type { Clock } from '@retrigger/ports/clock.ts';
import type { Charge, Limit, Limiter } from '@retrigger/ports/limiter.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Redis } from 'ioredis';
import { CHARGE, REFUND } from './limit-scripts.ts';
import { connectRedis } from './redis-connection.ts';
import { failureOf } from './redis-errors.ts';

/** The part in braces puts all limits into one slot of a Redis cluster, as a script needs it. */
const keyOf = ({ name, key }: Limit): string => `{retrigger:limits}:${name}:${key}`;

/**
 * Fixed windows that all gateways share, by Redis's clock. M1 and M2 by one script per charge: it looks at every limit before it takes from any.
 * The road not taken: rate-limiter-flexible's Redis store takes from one limit after the other, past its points too, and gives back what another refuses. A
 * give-back that comes after the window's end credits the next window (against M2); callers in between are refused although enough is left (690 of 700 points
 * were charged under 600 callers of mixed costs); and it takes a round trip for each limit: 0.43 ms against 0.14 for 4 of them, 10.5 ms against 1.0 for 101.
 * Not theirs to promise: what a Redis that lost its data, or failed over, had counted. Such a window begins again.
 */
export class RedisLimiter implements Limiter {
  readonly #redis: Redis;

  /** @throws RedisFailure when no Redis answers within 15 s. */
  static async open(url: string, context: { clock: Clock; observer: Observer }): Promise<RedisLimiter> {
    return new RedisLimiter(await connectRedis(url, 'retrigger-limits', context));
  }

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @throws RedisFailure when Redis gives no reply; the charge may then have been taken, which its window's end gives back. */
  async charge(limits: Limit[], cost: number): Promise<Charge> {
    const on = limits.filter(({ points }) => points > 0);
    if (on.length === 0) return { kind: 'charged', tightest: null };
    const [refusedBy, ...figures] = await this.#run(
      CHARGE,
      on,
      on.flatMap((limit) => [limit.points, limit.windowMs, limit.cost ?? cost]),
    );
    const figuresOf = (index: number) => ({ remaining: figures[2 * index] ?? 0, ms: figures[2 * index + 1] ?? 0 });
    const refusing = on[(refusedBy ?? 0) - 1];
    if (refusing !== undefined) {
      const { remaining, ms } = figuresOf(0);
      return { kind: 'limited', name: refusing.name, points: refusing.points, remaining, retryAfterMs: ms };
    }
    const left = on.map(({ name, points }, index) => ({
      name,
      points,
      remaining: figuresOf(index).remaining,
      resetMs: figuresOf(index).ms,
    }));
    return { kind: 'charged', tightest: left.reduce((tightest, other) => (other.remaining < tightest.remaining ? other : tightest)) };
  }

  /** A charge of a window that has ended is not given back to the next. @throws RedisFailure when Redis gives no reply. */
  async refund(limits: Limit[], cost: number): Promise<void> {
    const on = limits.filter(({ points }) => points > 0);
    if (on.length > 0)
      await this.#run(
        REFUND,
        on,
        on.map((limit) => limit.cost ?? cost),
      );
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #run(script: string, limits: Limit[], values: number[]): Promise<number[]> {
    try {
      return (await this.#redis.eval(script, limits.length, ...limits.map(keyOf), ...values)) as number[];
    } catch (error) {
      throw failureOf(error);
    }
  }
}

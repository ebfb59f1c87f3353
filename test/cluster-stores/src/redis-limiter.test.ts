import { randomUUID } from 'node:crypto';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import type { Limit } from '@retrigger/ports/limiter.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { RedisLimiter } from '@retrigger/redis/redis-limiter.ts';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { clusterScript } from './cluster.ts';
import { eventually } from './eventually.ts';
import { startFreezingProxy } from './freezing-proxy.ts';

const { folder, redisUrl } = inject('cluster');

describe('limits in Redis', () => {
  let limiters: RedisLimiter[];
  let run: string;

  beforeEach(() => {
    limiters = [];
    run = randomUUID();
  });

  afterEach(() => Promise.all(limiters.map((limiter) => limiter.close())));

  const open = async (url = redisUrl): Promise<RedisLimiter> => {
    const limiter = await RedisLimiter.open(url, { clock: systemClock, observer: silent });
    limiters.push(limiter);
    return limiter;
  };
  const limit = (name: string, points: number, windowMs = 60_000): Limit => ({ name, key: `${run}:${name}`, points, windowMs });
  const left = async (limiter: RedisLimiter, of: Limit): Promise<number> => {
    const charge = await limiter.charge([of], 0);
    return charge.kind === 'charged' ? (charge.tightest?.remaining ?? Number.NaN) : charge.remaining;
  };

  test('M1: a charge that one limit refuses takes nothing from the others, whichever it is', async () => {
    const limiter = await open();
    const [wide, narrow, middle] = [limit('wide', 100), limit('narrow', 5), limit('middle', 50)];
    for (const order of [
      [wide, narrow, middle],
      [narrow, wide, middle],
      [middle, wide, narrow],
    ])
      expect(await limiter.charge(order, 6)).toMatchObject({ kind: 'limited', name: 'narrow', points: 5, remaining: 5 });
    expect(await Promise.all([wide, narrow, middle].map((of) => left(limiter, of)))).toEqual([100, 5, 50]);
    expect(await limiter.charge([wide, narrow, middle], 4)).toMatchObject({
      kind: 'charged',
      tightest: { name: 'narrow', points: 5, remaining: 1 },
    });
  });

  test('M2: under callers with different costs and two limits, every refusal is true: less was left than was asked for', async () => {
    const gateways = [await open(), await open(), await open()];
    const [first, second] = [limit('first', 700), limit('second', 500)];
    const costs = Array.from({ length: 600 }, (_, n) => 1 + ((n * 7) % 13));
    const charges = await Promise.all(
      costs.map(async (cost, n) => ({ cost, charge: await gateways[n % 3]?.charge([first, second], cost) })),
    );
    const charged = charges.reduce((sum, { cost, charge }) => sum + (charge?.kind === 'charged' ? cost : 0), 0);
    expect([charged, await left(await open(), first)]).toEqual([500, 200]);
    for (const { cost, charge } of charges) if (charge?.kind === 'limited') expect(charge.remaining).toBeLessThan(cost);
  });

  test('a flushed Redis begins every window again', async () => {
    const limiter = await open();
    const some = limit('some', 3);
    await limiter.charge([some], 3);
    const admin = new Redis(redisUrl);
    await admin.flushall();
    admin.disconnect();
    expect(await left(limiter, some)).toBe(3);
  });

  test('a killed Redis that comes back still knows what was charged, without a restart of ours; while it is away a charge fails at once', async () => {
    const limiter = await open();
    const some = limit('some', 3);
    await limiter.charge([some], 2);
    const admin = new Redis(redisUrl);
    await eventually('it is in the file', async () => (await admin.info('persistence')).includes('aof_buffer_length:0'));
    admin.disconnect();
    await clusterScript(folder, 'kill', 'redis');
    const begun = Date.now();
    await expect(limiter.charge([some], 1)).rejects.toMatchObject({ code: 'network', retry: true });
    expect(Date.now() - begun, 'a reply is waited for 1 s').toBeLessThan(950);
    await clusterScript(folder, 'start', 'redis');
    await eventually('it charges again', () =>
      left(limiter, some).then(
        (remaining) => remaining === 1,
        () => false,
      ),
    );
  });

  test('a Redis that gives no reply fails a charge within its bound, and is connected to anew', async () => {
    const proxy = await startFreezingProxy(redisUrl);
    try {
      const limiter = await open(proxy.url);
      const some = limit('some', 3);
      await limiter.charge([some], 1);
      proxy.freeze();
      const begun = Date.now();
      await expect(limiter.charge([some], 1)).rejects.toMatchObject({ code: 'timeout' });
      expect(Date.now() - begun, 'the bound is 1 s').toBeLessThan(5_000);
      await eventually('it charges again', () =>
        left(limiter, some).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      await proxy.close();
    }
  });
});

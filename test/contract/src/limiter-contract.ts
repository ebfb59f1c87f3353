import type { Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, unique } from './eventually.ts';

export type LimiterAdapter = {
  /** Two limiters on the same counts: two processes' where the technology has processes, else the same one twice. */
  open(): Promise<{ limiter: Limiter; other: Limiter; close(): Promise<void> }>;
  timeoutMs: number;
};

const HOUR_MS = 3_600_000;

/** The limiter port's definition: M1, M2. */
export function limiterContract(name: string, adapter: LimiterAdapter): void {
  const open = async (): Promise<{ limiter: Limiter; other: Limiter }> => {
    const { close, ...limiters } = await adapter.open();
    onTestFinished(close);
    return limiters;
  };
  const limit = (limitName: string, points: number, windowMs = HOUR_MS): Limit => ({
    name: limitName,
    key: unique('key'),
    points,
    windowMs,
  });

  describe(`${name} limiter`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('a charge tells the tightest limit and what is left of it', async () => {
      const { limiter } = await open();
      const [user, task] = [limit('user', 10), limit('task', 5)];
      expect(await limiter.charge([user, task], 2)).toEqual({
        kind: 'charged',
        tightest: { name: 'task', points: 5, remaining: 3, resetMs: expect.any(Number) },
      });
      await limiter.charge([user], 7);
      const charge = await limiter.charge([user, task], 1);
      expect(charge).toMatchObject({ kind: 'charged', tightest: { name: 'user', points: 10, remaining: 0 } });
      if (charge.kind !== 'charged') return;
      expect(charge.tightest?.resetMs).toBeGreaterThan(HOUR_MS - 60_000);
      expect(charge.tightest?.resetMs).toBeLessThanOrEqual(HOUR_MS);
    });

    test('a limit with a cost of its own is charged that, and given back that; the others what the charge costs (M1)', async () => {
      const { limiter } = await open();
      const [user, a, b] = [limit('user', 10), { ...limit('task', 2), cost: 1 }, { ...limit('task', 2), cost: 1 }];
      expect(await limiter.charge([user, a, b], 4)).toMatchObject({ tightest: { name: 'task', remaining: 1 } });
      expect(await limiter.charge([user, a], 6)).toMatchObject({ tightest: { remaining: 0 } });
      await limiter.refund([user, a], 6);
      expect(await limiter.charge([user], 7)).toMatchObject({ kind: 'limited', remaining: 6 });
      expect(await limiter.charge([user, a, b], 6)).toMatchObject({ kind: 'charged', tightest: { remaining: 0 } });
      expect(await limiter.charge([b], 5)).toMatchObject({ kind: 'limited', name: 'task', remaining: 0 });
    });

    test('what is past a limit is refused, naming it and when to come again', async () => {
      const { limiter } = await open();
      const user = limit('user', 3);
      await limiter.charge([user], 2);
      const refused = await limiter.charge([user], 2);
      expect(refused).toEqual({ kind: 'limited', name: 'user', points: 3, remaining: 1, retryAfterMs: expect.any(Number) });
      if (refused.kind !== 'limited') return;
      expect(refused.retryAfterMs).toBeGreaterThan(0);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(HOUR_MS);
    });

    test('a refused charge takes nothing from any limit, wherever the tight one stands (M1)', async () => {
      const { limiter } = await open();
      const [wide, tight, wideToo] = [limit('wide', 10), limit('tight', 1), limit('wide-too', 10)];
      await limiter.charge([tight], 1);
      for (let i = 0; i < 30; i++) {
        expect(await limiter.charge([wide, tight, wideToo], 1)).toMatchObject({ kind: 'limited', name: 'tight' });
      }
      expect(await limiter.charge([wide, wideToo], 10)).toMatchObject({ kind: 'charged' });
    });

    test('a cost above the limit is refused at once and takes nothing (M1)', async () => {
      const { limiter } = await open();
      const user = limit('user', 5);
      expect(await limiter.charge([user], 6)).toMatchObject({ kind: 'limited', remaining: 5 });
      expect(await limiter.charge([user], 5)).toMatchObject({ kind: 'charged', tightest: { remaining: 0 } });
    });

    test('however many charge at once, from two sides, exactly the points are given out (M2)', async () => {
      const { limiter, other } = await open();
      const limits = [limit('system', 50), limit('tenant', 0), limit('user', 1_000)];
      const charges = await Promise.all(Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? limiter : other).charge(limits, 1)));
      expect(charges.filter(({ kind }) => kind === 'charged')).toHaveLength(50);
      expect(await other.charge(limits, 1)).toMatchObject({ kind: 'limited', name: 'system', remaining: 0 });
    });

    test('charges that cost much are given out exactly too: 100 times 100 of 5,000 (M2)', async () => {
      const { limiter, other } = await open();
      const limits = [limit('system', 5_000, 60_000)];
      const charges = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? limiter : other).charge(limits, 100)));
      expect(charges.filter(({ kind }) => kind === 'charged')).toHaveLength(50);
    });

    test('limits of 0 points are off', async () => {
      const { limiter } = await open();
      const off = limit('off', 0);
      expect(await limiter.charge([off], 1_000)).toEqual({ kind: 'charged', tightest: null });
      expect(await limiter.charge([], 1)).toEqual({ kind: 'charged', tightest: null });
      expect(await limiter.charge([off, limit('on', 5)], 1)).toMatchObject({ kind: 'charged', tightest: { name: 'on', remaining: 4 } });
    });

    test('limits with other names or keys count apart', async () => {
      const { limiter } = await open();
      const one = limit('user', 1);
      await limiter.charge([one], 1);
      expect(await limiter.charge([{ ...one, name: 'task' }], 1)).toMatchObject({ kind: 'charged' });
      expect(await limiter.charge([{ ...one, key: `${one.key}x` }], 1)).toMatchObject({ kind: 'charged' });
      expect(await limiter.charge([one], 1)).toMatchObject({ kind: 'limited' });
    });

    test('a refund gives back, but never more than was charged', async () => {
      const { limiter } = await open();
      const limits = [limit('user', 5), limit('task', 5), limit('off', 0)];
      await limiter.charge(limits, 4);
      await limiter.refund(limits, 3);
      expect(await limiter.charge(limits, 4)).toMatchObject({ kind: 'charged', tightest: { remaining: 0 } });
      await limiter.refund(limits, 5);
      await limiter.refund(limits, 5);
      expect(await limiter.charge(limits, 6)).toMatchObject({ kind: 'limited' });
      expect(await limiter.charge(limits, 5)).toMatchObject({ kind: 'charged' });
    });

    test('a new window has all its points, and a refund for an ended one adds none', async () => {
      const { limiter } = await open();
      const user = limit('user', 2, 400);
      await limiter.charge([user], 2);
      const again = await eventually('the window ends', adapter.timeoutMs, async () => {
        const charge = await limiter.charge([user], 2);
        return charge.kind === 'charged' && charge;
      });
      expect(again.tightest?.remaining).toBe(0);
      await eventually('that window ends too', adapter.timeoutMs, async () => {
        const peek = await limiter.charge([user], 3);
        return peek.kind === 'limited' && peek.remaining === 2;
      });
      await limiter.refund([user], 2);
      expect(await limiter.charge([user], 3)).toMatchObject({ kind: 'limited' });
    });
  });
}

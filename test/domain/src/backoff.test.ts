import { backoff } from '@retrigger/domain/backoff.ts';
import { chance } from '@retrigger/domain/chance.ts';
import { MAX_AHEAD_MS } from '@retrigger/domain/duration.ts';
import { assert, constantFrom, double, integer, oneof, property, record, string } from 'fast-check';
import { describe, expect, test } from 'vitest';

const DAY = 86_400_000;
const policies = record({
  baseMs: integer({ min: 0, max: MAX_AHEAD_MS }),
  maxMs: integer({ min: 0, max: MAX_AHEAD_MS }),
  jitter: constantFrom('none', 'full', 'equal'),
  retryCount: oneof(integer({ min: 0, max: 70 }), integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
});
const fractions = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoff', () => {
  test('is base × 2^retryCount: 1 min after 2 retries is 4 min', () => {
    expect(backoff({ baseMs: 60_000, maxMs: DAY, jitter: 'none', retryCount: 2 }, 0.5)).toEqual({
      delayMs: 240_000,
      details: {
        base: '1m',
        retryCount: 2,
        factor: 4,
        uncapped: '4m',
        cap: '1d',
        capped: false,
        jitter: 'none',
        jitterRange: { min: '4m', max: '4m' },
      },
    });
  });

  test('keeps to the cap, and says so', () => {
    const { delayMs, details } = backoff({ baseMs: 60_000, maxMs: 3_600_000, jitter: 'none', retryCount: 10 }, 0);
    expect(delayMs).toBe(3_600_000);
    expect(details).toMatchObject({ uncapped: '1024m', cap: '1h', capped: true });
  });

  test('is the cap for any count, however large; what is past 2^53 is null', () => {
    const { delayMs, details } = backoff({ baseMs: 1, maxMs: DAY, jitter: 'none', retryCount: Number.MAX_SAFE_INTEGER }, 0);
    expect(delayMs).toBe(DAY);
    expect(details).toMatchObject({ factor: null, uncapped: null, capped: true });
  });

  test('without jitter is min(cap, base × 2^retryCount) (B1)', () => {
    assert(
      property(policies, fractions, (policy, fraction) => {
        const { delayMs } = backoff({ ...policy, jitter: 'none' }, fraction);
        const exact = BigInt(policy.baseMs) * 2n ** BigInt(Math.min(policy.retryCount, 2_000));
        expect(BigInt(delayMs)).toBe(exact < BigInt(policy.maxMs) ? exact : BigInt(policy.maxMs));
      }),
    );
  });

  test('with jitter stays in its documented bounds, in whole milliseconds (B2)', () => {
    assert(
      property(policies, fractions, (policy, fraction) => {
        const whole = backoff({ ...policy, jitter: 'none' }, 0).delayMs;
        const { delayMs } = backoff(policy, fraction);
        const least = { none: whole, full: 0, equal: whole / 2 }[policy.jitter];
        expect(delayMs).toBeGreaterThanOrEqual(least);
        expect(delayMs).toBeLessThanOrEqual(whole);
        expect(Number.isSafeInteger(delayMs)).toBe(true);
      }),
    );
  });

  test('with jitter reaches both ends', () => {
    const policy = { baseMs: 1_001, maxMs: DAY, retryCount: 0 };
    const almostOne = 1 - 2 ** -48;
    expect(backoff({ ...policy, jitter: 'full' }, 0).delayMs).toBe(0);
    expect(backoff({ ...policy, jitter: 'full' }, almostOne).delayMs).toBe(1_001);
    expect(backoff({ ...policy, jitter: 'equal' }, 0).delayMs).toBe(501);
    expect(backoff({ ...policy, jitter: 'equal' }, almostOne).delayMs).toBe(1_001);
  });
});

describe('chance', () => {
  test('is in [0, 1) and the same for the same parts (B3)', () => {
    assert(
      property(string(), (part) => {
        const fraction = chance('jitter', part);
        expect(fraction).toBeGreaterThanOrEqual(0);
        expect(fraction).toBeLessThan(1);
        expect(chance('jitter', part)).toBe(fraction);
      }),
    );
  });

  test('is spread evenly', () => {
    const tenths = Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index++) {
      const tenth = Math.floor(chance('jitter', `c-${index}`) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(850);
    expect(Math.max(...tenths)).toBeLessThan(1_150);
  });

  test('has not changed: what was derived once is derived for ever', () => {
    expect(chance('jitter', 'c-1')).toBe(0.06991573968928577);
  });
});

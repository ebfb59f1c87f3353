import { chance } from '@retrigger/domain/chance.ts';
import { delayApplied, nextExecution, type Schedule } from '@retrigger/domain/schedule.ts';
import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';

const NOW = Date.parse('2026-03-01T08:00:00.000Z');
const BASIS = { retryCount: 0, commandId: 'c-1' };
const MINUTE = 60_000;
const DAY = 86_400_000;

const next = (schedule: Schedule, basis: Partial<Parameters<typeof nextExecution>[2]> = {}) =>
  nextExecution(schedule, NOW, { ...BASIS, ...basis });

describe('the next execution', () => {
  test.each<[Schedule, number]>([
    [{ strategy: 'immediate' }, 0],
    [{ strategy: 'delayed', delay: '5m' }, 5 * MINUTE],
    [{ strategy: 'delayed', delay: 'PT5M' }, 5 * MINUTE],
    [{ strategy: 'delayed', delay: 5, unit: 'minutes' }, 5 * MINUTE],
    [{ strategy: 'delayed', delay: 1.5, unit: 'hours' }, 90 * MINUTE],
    [{ strategy: 'delayed', delay: '5m', unit: 'days' }, 5 * MINUTE],
    [{ strategy: 'delayed', delay: '0s' }, 0],
    [{ strategy: 'delayed', delay: 366, unit: 'days' }, 366 * DAY],
    [{ strategy: 'at', at: '2026-03-01T08:00:00.000Z' }, 0],
    [{ strategy: 'at', at: '2026-03-01T12:00:00+02:00' }, 120 * MINUTE],
    [{ strategy: 'cron', cron: '0 9 * * *', timeZone: 'Europe/Berlin' }, DAY],
  ])('of %j is so many milliseconds ahead', (schedule, aheadMs) => {
    expect(next(schedule)).toMatchObject({ kind: 'at', at: NOW + aheadMs });
  });

  test('of a conditional schedule has no time', () => {
    const waiting = next({ strategy: 'conditional', conditions: { dependenciesComplete: true } });
    expect(waiting).toEqual({ kind: 'waiting' });
    expect(waiting.kind !== 'refused' && delayApplied(waiting, NOW)).toBeNull();
  });

  test('of a backoff is base × 2^retryCount ahead, and explains itself', () => {
    const due = next({ strategy: 'exponential_backoff', baseDelay: '1m' }, { retryCount: 2 });
    expect(due).toMatchObject({
      kind: 'at',
      at: NOW + 4 * MINUTE,
      details: { base: '1m', retryCount: 2, cap: '1d', capped: false, jitter: 'none' },
    });
    expect(due.kind !== 'refused' && delayApplied(due, NOW)).toBe('4m');
  });

  test('of a backoff takes currentRetryCount before the task’s own, and keeps to maxDelay', () => {
    expect(next({ strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: 3 }, { retryCount: 9 })).toMatchObject({
      at: NOW + 8 * MINUTE,
    });
    expect(next({ strategy: 'exponential_backoff', baseDelay: '1m', maxDelay: '2m' }, { retryCount: 9 })).toMatchObject({
      at: NOW + 2 * MINUTE,
    });
    expect(next({ strategy: 'exponential_backoff', baseDelay: '1m' }, { retryCount: 60 })).toMatchObject({ at: NOW + DAY });
  });

  test('of a backoff with jitter depends on the command and is the same every time (N2)', () => {
    const schedule: Schedule = { strategy: 'exponential_backoff', baseDelay: '1h', jitter: 'full' };
    const due = next(schedule, { commandId: 'c-2' });
    expect(due).toEqual(next(schedule, { commandId: 'c-2' }));
    expect(due).toMatchObject({ at: NOW + Math.floor(chance('jitter', 'c-2') * (3_600_000 + 1)) });
    expect(next(schedule, { commandId: 'c-3' })).not.toEqual(due);
  });

  test('of a recurring schedule counts from the last nominal time, also when that leads to one that was missed', () => {
    const hourly: Schedule = { strategy: 'cron', cron: '0 * * * *' };
    expect(next(hourly, { nominalAfter: NOW - 5 * 60 * MINUTE })).toMatchObject({ at: NOW - 4 * 60 * MINUTE });
    expect(next(hourly)).toMatchObject({ at: NOW + 60 * MINUTE, details: { cron: '0 * * * *', timeZone: 'UTC' } });
  });

  test('is never before now, nor more than 366 days after (N1)', () => {
    const schedules = constantFrom<Schedule>(
      { strategy: 'immediate' },
      { strategy: 'delayed', delay: '366d' },
      { strategy: 'at', at: '2026-06-01T00:00:00Z' },
      { strategy: 'cron', cron: '0 0 29 2 *' },
      { strategy: 'cron', cron: '*/7 3 1 * *', timeZone: 'America/New_York' },
      { strategy: 'exponential_backoff', baseDelay: '10d', maxDelay: '366d', jitter: 'equal' },
    );
    assert(
      property(schedules, integer({ min: NOW, max: NOW + 1_500 * DAY }), integer({ min: 0, max: 100 }), (schedule, now, retryCount) => {
        const due = nextExecution(schedule, now, { ...BASIS, retryCount });
        if (due.kind !== 'at') return;
        expect(due.at).toBeGreaterThanOrEqual(now);
        expect(due.at - now).toBeLessThanOrEqual(366 * DAY);
      }),
    );
  });
});

describe('a schedule that is refused', () => {
  test.each<[Schedule, string, string]>([
    [{ strategy: 'delayed', delay: 'soon' }, 'delay', 'is no duration'],
    [{ strategy: 'delayed', delay: '-5m' }, 'delay', 'is no duration'],
    [{ strategy: 'delayed', delay: '367d' }, 'delay', 'must be at most 366 days ahead'],
    [{ strategy: 'delayed', delay: '999999999999999d' }, 'delay', 'must be at most 366 days ahead'],
    [{ strategy: 'delayed', delay: 5 }, 'unit', 'is needed beside a number'],
    [{ strategy: 'delayed', delay: -5, unit: 'minutes' }, 'delay', '0 or more'],
    [{ strategy: 'delayed', delay: Number.NaN, unit: 'minutes' }, 'delay', '0 or more'],
    [{ strategy: 'delayed', delay: 1e300, unit: 'days' }, 'delay', 'must be at most 366 days ahead'],
    [{ strategy: 'at', at: '2026-03-01T07:59:59.999Z' }, 'at', 'is in the past; now it is 2026-03-01T08:00:00.000Z'],
    [{ strategy: 'at', at: '2027-03-03T08:00:00Z' }, 'at', 'must be at most 366 days ahead'],
    [{ strategy: 'at', at: '2026-02-30T08:00:00Z' }, 'at', 'is no instant'],
    [{ strategy: 'cron', cron: '0 0 30 2 *' }, 'cron', 'never fires'],
    [{ strategy: 'cron', cron: '0 0 29 2 *' }, 'cron', 'fires next at 2028-02-29T00:00:00.000Z: at most 366 days ahead'],
    [{ strategy: 'cron', cron: 'daily' }, 'cron', 'is no cron expression'],
    [{ strategy: 'cron', cron: '@daily', timeZone: 'Nowhere' }, 'timeZone', 'unknown time zone'],
    [{ strategy: 'exponential_backoff', baseDelay: 'x' }, 'baseDelay', 'is no duration'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', maxDelay: '400d' }, 'maxDelay', 'must be at most 366 days ahead'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: -1 }, 'currentRetryCount', '0 or more'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: 1.5 }, 'currentRetryCount', 'whole number'],
  ])('%j names %s', (schedule, field, message) => {
    expect(next(schedule)).toEqual({ kind: 'refused', field, message: expect.stringContaining(message) });
  });
});

describe('a schedule that the door has admitted', () => {
  test('is due now when its instant has passed meanwhile', () => {
    expect(next({ strategy: 'at', at: '2026-03-01T07:59:00Z' }, { isAdmitted: true })).toEqual({ kind: 'at', at: NOW });
  });

  test('is not too far ahead because the clocks differ', () => {
    expect(next({ strategy: 'at', at: '2027-03-02T08:00:01Z' }, { isAdmitted: true })).toMatchObject({ kind: 'at' });
    expect(next({ strategy: 'cron', cron: '0 0 29 2 *' }, { isAdmitted: true })).toMatchObject({ kind: 'at' });
  });
});

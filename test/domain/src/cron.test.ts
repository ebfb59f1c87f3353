import { cronTimesBetween, nextCronTime } from '@retrigger/domain/cron.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';

/** The next times from an instant on, each computed from the one before. */
function times(cron: string, timeZone: string, from: string, count: number): string[] {
  const found: string[] = [];
  let after = Date.parse(from);
  for (let index = 0; index < count; index++) {
    const next = nextCronTime({ cron, timeZone }, after);
    if (next.kind === 'refused') throw new Error(next.message);
    found.push(formatInstant(next.at));
    after = next.at;
  }
  return found;
}

const short = (instants: string[]): string[] => instants.map((text) => text.slice(5, 16));

describe('a cron schedule', () => {
  test('fires strictly after the time it is asked from', () => {
    expect(times('0 9 * * *', 'UTC', '2026-03-01T09:00:00.000Z', 1)).toEqual(['2026-03-02T09:00:00.000Z']);
    expect(times('0 9 * * *', 'UTC', '2026-03-01T08:59:59.999Z', 1)).toEqual(['2026-03-01T09:00:00.000Z']);
  });

  test('is in UTC when no zone is given', () => {
    expect(nextCronTime({ cron: '0 9 * * *' }, Date.parse('2026-07-01T00:00:00Z'))).toEqual({
      kind: 'at',
      at: Date.parse('2026-07-01T09:00:00Z'),
    });
  });

  test('takes six fields with seconds in front, names, lists, steps, L, W, # and nicknames', () => {
    expect(times('*/20 * * * * *', 'UTC', '2026-03-01T00:00:00.500Z', 3)).toEqual([
      '2026-03-01T00:00:20.000Z',
      '2026-03-01T00:00:40.000Z',
      '2026-03-01T00:01:00.000Z',
    ]);
    expect(short(times('0 9 * * MON-FRI', 'UTC', '2026-03-06T10:00:00Z', 1))).toEqual(['03-09T09:00']);
    expect(short(times('0 0 L * *', 'UTC', '2026-02-01T00:00:00Z', 2))).toEqual(['02-28T00:00', '03-31T00:00']);
    expect(short(times('0 0 15W * *', 'UTC', '2026-02-01T00:00:00Z', 1))).toEqual(['02-16T00:00']);
    expect(short(times('0 0 * * FRI#2', 'UTC', '2026-03-01T00:00:00Z', 1))).toEqual(['03-13T00:00']);
    expect(short(times('@daily', 'Europe/Berlin', '2026-01-01T00:00:00Z', 1))).toEqual(['01-01T23:00']);
  });

  test('with day of month and weekday fires on either, with + only on both', () => {
    expect(short(times('0 0 13 * FRI', 'UTC', '2026-03-01T00:00:00Z', 3))).toEqual(['03-06T00:00', '03-13T00:00', '03-20T00:00']);
    expect(short(times('0 0 13 * +FRI', 'UTC', '2026-03-01T00:00:00Z', 2))).toEqual(['03-13T00:00', '11-13T00:00']);
  });

  test('goes from nominal time to nominal time, however late each run is (no drift)', () => {
    assert(
      property(integer({ min: 0, max: 5 * 60_000 - 1 }), (lateMs) => {
        let nominal = Date.parse('2026-03-01T00:05:00Z');
        for (let run = 0; run < 5; run++) {
          const [fromNominal, fromLate] = [nominal, nominal + lateMs].map((after) => nextCronTime({ cron: '*/5 * * * *' }, after));
          expect(fromNominal).toEqual({ kind: 'at', at: nominal + 5 * 60_000 });
          expect(fromLate).toEqual(fromNominal);
          nominal += 5 * 60_000;
        }
      }),
    );
  });
});

describe('daylight saving in Europe/Berlin', () => {
  test('spring: a time inside the gap fires at the first instant after it, once, and is back at its time the next day', () => {
    expect(short(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3))).toEqual(['03-28T01:30', '03-29T01:00', '03-30T00:30']);
  });

  test('spring: a time outside the gap keeps its local time', () => {
    expect(short(times('0 9 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3))).toEqual(['03-28T08:00', '03-29T07:00', '03-30T07:00']);
  });

  test('spring: several named times fire once each; two that fall onto the same instant fire once', () => {
    expect(short(times('30 2,14 * * *', 'Europe/Berlin', '2026-03-28T20:00:00Z', 3))).toEqual([
      '03-29T01:00',
      '03-29T12:30',
      '03-30T00:30',
    ]);
    expect(short(times('0 2,3 * * *', 'Europe/Berlin', '2026-03-28T20:00:00Z', 3))).toEqual(['03-29T01:00', '03-30T00:00', '03-30T01:00']);
  });

  test('spring: an interval follows real time through the gap', () => {
    expect(short(times('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:10:00Z', 4))).toEqual([
      '03-29T00:30',
      '03-29T01:00',
      '03-29T01:30',
      '03-29T02:00',
    ]);
  });

  test('autumn: a time that comes twice fires the first time only', () => {
    expect(short(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2))).toEqual(['10-25T00:30', '10-26T01:30']);
    expect(short(times('0 2,3 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 3))).toEqual(['10-25T00:00', '10-25T02:00', '10-26T01:00']);
  });

  test('autumn: between the two passes, a time of the second pass is no run any more', () => {
    expect(short(times('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:45:00Z', 1))).toEqual(['10-26T01:30']);
  });

  test('autumn: an interval fires in both passes', () => {
    expect(short(times('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:40:00Z', 6))).toEqual([
      '10-25T00:00',
      '10-25T00:30',
      '10-25T01:00',
      '10-25T01:30',
      '10-25T02:00',
      '10-25T02:30',
    ]);
  });
});

describe('daylight saving in America/New_York', () => {
  test('spring: a time inside the gap fires at the first instant after it', () => {
    expect(short(times('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2))).toEqual(['03-08T07:00', '03-09T06:30']);
  });

  test('autumn: a time that comes twice fires the first time only, an interval in both passes', () => {
    expect(short(times('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2))).toEqual(['11-01T05:30', '11-02T06:30']);
    expect(short(times('0 * * * *', 'America/New_York', '2026-11-01T04:30:00Z', 3))).toEqual(['11-01T05:00', '11-01T06:00', '11-01T07:00']);
  });
});

describe('over a whole year', () => {
  const zones = constantFrom('Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC');
  const [begin, end] = [Date.parse('2026-01-01T12:00:00Z'), Date.parse('2027-01-01T12:00:00Z')];

  test('a daily time fires 365 times, 23 to 25 hours apart, in any zone', () => {
    assert(
      property(zones, integer({ min: 0, max: 23 }), integer({ min: 0, max: 59 }), (timeZone, hour, minute) => {
        const runs = cronTimesBetween({ cron: `${minute} ${hour} * * *`, timeZone }, begin, end, 1_000);
        expect(runs).toHaveLength(365);
        for (const [index, run] of runs.slice(1).entries()) {
          const gap = run - (runs[index] as number);
          expect(gap).toBeGreaterThanOrEqual(23 * 3_600_000 - 30 * 60_000);
          expect(gap).toBeLessThanOrEqual(25 * 3_600_000);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('an interval of 10 minutes fires every 10 minutes of real time, in any zone', () => {
    assert(
      property(zones, integer({ min: begin, max: end }), (timeZone, from) => {
        const next = nextCronTime({ cron: '*/10 * * * *', timeZone }, from);
        expect(next).toEqual({ kind: 'at', at: (Math.floor(from / 600_000) + 1) * 600_000 });
      }),
      { numRuns: 300 },
    );
  });
});

describe('times between', () => {
  test('are all that were due after the one and up to the other, oldest first, no more than the limit', () => {
    const [from, to] = [Date.parse('2026-03-01T00:00:00Z'), Date.parse('2026-03-01T03:00:00Z')];
    expect(short(cronTimesBetween({ cron: '0 * * * *' }, from, to, 10).map(formatInstant))).toEqual([
      '03-01T01:00',
      '03-01T02:00',
      '03-01T03:00',
    ]);
    expect(cronTimesBetween({ cron: '0 * * * *' }, from, to, 2)).toHaveLength(2);
    expect(cronTimesBetween({ cron: '0 * * * *' }, to, from, 10)).toEqual([]);
  });
});

describe('what is no schedule', () => {
  const refusal = (cron: string, timeZone?: string) =>
    nextCronTime(timeZone === undefined ? { cron } : { cron, timeZone }, Date.parse('2026-03-01T00:00:00Z'));

  test.each([
    '',
    '* * * *',
    '* * * * * * *',
    '61 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
    'a b c d e',
    '@reboot',
    '@never',
    '-1 * * * *',
    '2026-03-01T00:00:00',
    '12:30 * * * *',
    '*/99 * * * *',
    'x'.repeat(5_000),
  ])('%j is refused, naming cron and what would be right', (cron) => {
    expect(refusal(cron)).toMatchObject({
      kind: 'refused',
      field: 'cron',
      message: expect.stringContaining('minute hour day-of-month month day-of-week'),
    });
  });

  test.each(['0 0 30 2 *', '0 0 31 4,6,9,11 *'])('%j never fires, and is refused for it', (cron) => {
    expect(refusal(cron, 'Europe/Berlin')).toEqual({ kind: 'refused', field: 'cron', message: `"${cron}" never fires` });
  });

  test.each(['', 'Mars/Olympus', 'Berlin', 'local', 'UTC+2', '../etc/passwd'])(
    '%j is no time zone, and is refused naming timeZone',
    (timeZone) => {
      expect(refusal('0 9 * * *', timeZone)).toMatchObject({
        kind: 'refused',
        field: 'timeZone',
        message: expect.stringContaining('Europe/Berlin'),
      });
    },
  );
});

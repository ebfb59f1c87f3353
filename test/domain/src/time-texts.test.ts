import { formatDuration, parseDuration } from '@retrigger/domain/duration.ts';
import { formatInstant, parseInstant } from '@retrigger/domain/instant.ts';
import { assert, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('durations', () => {
  test.each([
    ['200ms', 200],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['PT5M', 300_000],
    ['PT0.5S', 500],
    ['PT1H30M', 5_400_000],
    ['P1D', 86_400_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '5',
    'm',
    '5 m',
    '-5m',
    '+5m',
    '5M',
    '1.5h',
    '5m ',
    '5min',
    'P',
    'PT',
    'P1DT',
    'PT5',
    'P1Y',
    'P1M',
    'P1W2D',
    'pt5m',
    '1e3s',
    '٥m',
    '5m\n',
    'Infinity',
    'NaNs',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, '0s'],
    [240_000, '4m'],
    [90_000, '90s'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
    [123_456, '123456ms'],
  ])('%i ms is written as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what is written reads back as the same', () => {
    assert(property(integer({ min: 0, max: 366 * 86_400_000 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});

describe('instants', () => {
  test.each([
    ['2026-03-01T08:00:00.000Z', '2026-03-01T08:00:00.000Z'],
    ['2026-03-01T08:00:00Z', '2026-03-01T08:00:00.000Z'],
    ['2026-03-01T08:00Z', '2026-03-01T08:00:00.000Z'],
    ['2026-03-01T08:00:00.1239Z', '2026-03-01T08:00:00.123Z'],
    ['2026-03-01T08:00:00+02:00', '2026-03-01T06:00:00.000Z'],
    ['2026-03-01T01:00:00-05:30', '2026-03-01T06:30:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    const at = parseInstant(text);
    expect(at === undefined ? undefined : formatInstant(at)).toBe(instant);
  });

  test.each([
    '',
    '2026-03-01',
    '2026-03-01T08:00:00',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T08:60:00Z',
    '2026-03-01T08:00:60Z',
    '2026-03-01 08:00:00Z',
    '2026-03-01T08:00:00+24:00',
    '2026-03-01T08:00:00+0200',
    'tomorrow',
    '1772352000000',
    'Sun, 01 Mar 2026 08:00:00 GMT',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });
});

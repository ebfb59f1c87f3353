import { expect, test } from 'vitest';
import { judge } from './steady.ts';

const TOLERANCE = { share: 0.1, atLeast: 5 };
/** Forty samples around 100, up to 8 off, always the same. */
const noise = Array.from({ length: 40 }, (_, i) => 100 + ((i * 7_919) % 17) - 8);

test('a noisy series that goes nowhere is steady, also when single samples stand out', () => {
  expect(judge(noise, TOLERANCE)).toMatchObject({ isSteady: true, allowed: 10 });
  expect(judge([...noise.slice(0, 30), 900, ...noise.slice(31, 39), 900], TOLERANCE)).toMatchObject({ isSteady: true, highest: 900 });
});

test('a leak that is as small as the noise is found', () => {
  const leaking = noise.map((value, i) => value + i * 0.4);
  expect(judge(leaking, TOLERANCE).isSteady).toBe(false);
});

test('a series that falls is steady; one of two samples proves nothing', () => {
  expect(
    judge(
      noise
        .map((value, i) => value - i)
        .toReversed()
        .toReversed(),
      TOLERANCE,
    ).isSteady,
  ).toBe(true);
  expect(judge([1, 1], TOLERANCE).isSteady).toBe(false);
});

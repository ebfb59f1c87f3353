import { Totals } from '@retrigger/gateway/totals.ts';
import { expect, test } from 'vitest';

/** Places at which something that matches stands, and the spans that were counted. */
function counting(places: number[]) {
  const spans: [number, number][] = [];
  const count = async (after: number, upTo: number) => {
    spans.push([after, upTo]);
    return places.filter((place) => place > after && place <= upTo).length;
  };
  return { places, spans, count };
}

test('what was counted once is not counted again, only what has come since (T1)', async () => {
  const [totals, { places, spans, count }] = [new Totals(), counting([1, 2, 5])];
  expect(await totals.of('q', 5, count)).toBe(3);
  expect(await totals.of('q', 5, count)).toBe(3);
  places.push(6, 9);
  expect(await totals.of('q', 9, count)).toBe(5);
  expect(spans).toEqual([
    [0, 5],
    [5, 9],
  ]);
});

test('a reader that began before is told what there was then, and takes nothing back', async () => {
  const [totals, { count }] = [new Totals(), counting([1, 2, 5])];
  await totals.of('q', 5, count);
  expect(await totals.of('q', 2, count)).toBe(2);
  expect(await totals.of('q', 6, count)).toBe(3);
});

test('two that count at once come to the same', async () => {
  const [totals, { count }] = [new Totals(), counting([1, 2, 5, 7])];
  expect(await Promise.all([totals.of('q', 5, count), totals.of('q', 7, count), totals.of('q', 2, count)])).toEqual([3, 4, 2]);
  expect(await totals.of('q', 7, count)).toBe(4);
});

test('questions are kept apart, and the one asked longest ago is forgotten first', async () => {
  const [totals, { spans, count }] = [new Totals(), counting([1])];
  for (let i = 0; i <= 1_000; i++) await totals.of(`q${i}`, 1, count);
  await totals.of('q1', 1, count);
  expect(spans).toHaveLength(1_001);
  await totals.of('q0', 1, count);
  expect(spans).toHaveLength(1_002);
});

import { EMPTY_HEAD } from '@retrigger/domain/event.ts';
import { weightOf } from '@retrigger/domain/json-weight.ts';
import { AggregateCache } from '@retrigger/engine/aggregate-cache.ts';
import { expect, test } from 'vitest';

const known = (bytes: number) => ({ head: EMPTY_HEAD, state: { context: { text: 'x'.repeat(bytes) } } });
const held = (cache: AggregateCache, names: string) => [...names].filter((name) => cache.get(name) !== undefined).join('');

test('holds as many as its bounds allow, in number and in weight; the one unused for longest goes first (C3)', () => {
  const cache = new AggregateCache(3, 10_000);
  for (const name of 'abcd') cache.put(name, known(10));
  expect(held(cache, 'abcd')).toBe('bcd');
  cache.put('b', known(10));
  cache.put('e', known(9_000));
  expect(held(cache, 'abcde')).toBe('bde');
  cache.put('f', known(9_000));
  expect(held(cache, 'abcdef')).toBe('f');
  cache.put('g', known(20_000));
  expect(held(cache, 'fg')).toBe('');
  for (let i = 0; i < 100; i++) cache.put('h', known(9_000)); // what is replaced weighs nothing any more
  cache.put('i', known(10));
  expect(held(cache, 'hi')).toBe('hi');
});

test('what is in doubt is not forgotten for its weight (C2, C3)', () => {
  const cache = new AggregateCache(3, 10_000);
  cache.doubt('a', known(9_000));
  cache.put('b', known(9_000));
  expect(held(cache, 'ab')).toBe('a');
  cache.put('a', known(9_000));
  cache.put('b', known(9_000));
  expect(held(cache, 'ab')).toBe('b');
});

test('a weight grows with everything that is held', () => {
  expect(weightOf({ a: 'x'.repeat(1_000) })).toBeGreaterThan(1_000);
  expect(weightOf(Array.from({ length: 1_000 }, () => ({})))).toBeGreaterThan(30_000);
  expect(weightOf({ list: [1, 2, 3], nothing: null, yes: true })).toBeLessThan(300);
});

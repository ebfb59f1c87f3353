import { expect, test } from 'vitest';
import { planOf } from './plan.ts';
import { Random } from './random.ts';

const FOR_MS = 600_000;

test('a seed makes one plan, another seed another', () => {
  expect(planOf(new Random(7), FOR_MS)).toEqual(planOf(new Random(7), FOR_MS));
  expect(planOf(new Random(8), FOR_MS)).not.toEqual(planOf(new Random(7), FOR_MS));
});

test('every kind of fault comes up, and each has ended in time', () => {
  const plan = planOf(new Random(1), FOR_MS);
  expect(new Set(plan.map(({ kind }) => kind)).size).toBe(13);
  expect(plan.filter(({ atMs, lastsMs }) => atMs + lastsMs > FOR_MS)).toEqual([]);
});

test('nothing is broken in two ways at once', () => {
  const until = new Map<string, number>();
  for (const { on, atMs, lastsMs } of planOf(new Random(3), FOR_MS)) {
    expect(until.get(on) ?? 0).toBeLessThanOrEqual(atMs);
    until.set(on, atMs + lastsMs);
  }
});

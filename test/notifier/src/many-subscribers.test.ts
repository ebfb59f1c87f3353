import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { failed, HANGS, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const eventually = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 10 });

test('more subscribers hang than there are slots for failing ones: a healthy one still has everything at once (Q2)', async () => {
  const sick = Array.from({ length: 150 }, (_, i) => `sick-${i}`);
  for (const id of sick) await world.subscribe(id, { tasks: ['first', 'second', 'third'] });
  await world.subscribe('well');
  const hasFailed = new Set<string>();
  world.channel.answer = (address) => {
    if (address === 'well') return { kind: 'delivered' };
    if (hasFailed.has(address)) return HANGS;
    hasFailed.add(address);
    return failed;
  };
  await world.start();
  await world.happens('first', 1);
  await eventually(() => expect(hasFailed.size).toBe(150));
  for (const taskId of ['second', 'third', 'other']) await world.happens(taskId, 5);
  await eventually(() => expect(world.channel.to('well')).toHaveLength(16));
  expect(world.channel.most).toBeLessThanOrEqual(256 + 128);
});

import { afterEach, beforeEach, expect, vi } from 'vitest';
import { startTarget } from './target.ts';
import { World } from './world.ts';

const cleanups: (() => Promise<void>)[] = [];

/** A fresh one for every test. */
export let world: World;

beforeEach(() => {
  world = new World();
  cleanups.push(() => world.end());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A target that lives as long as the test. */
export async function target(...args: Parameters<typeof startTarget>) {
  const started = await startTarget(...args);
  cleanups.push(started.stop);
  return started;
}

export const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });

/** Every event is finished and the offset behind the last. */
export const isOver = (): Promise<void> => eventually(() => expect(world.committed()).toBe(world.eventCount()));

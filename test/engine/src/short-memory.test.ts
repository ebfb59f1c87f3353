import { ShortMemory } from '@retrigger/engine/short-memory.ts';
import { expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

test('S1: an answer is remembered for its life, and not past it, nor when the clock was set back since', async () => {
  const clock = new ManualClock(1_000_000);
  const memory = new ShortMemory<string>(clock, 5_000, 10);
  const ask = (answer: string) => memory.remember('key', async () => answer);
  expect(await ask('first')).toBe('first');
  await clock.advance(4_999);
  expect(await ask('second')).toBe('first');
  await clock.advance(1);
  expect(await ask('third')).toBe('third');
  clock.set(clock.now() - 300_000);
  expect(await ask('fourth')).toBe('fourth');
  expect(await ask('fifth')).toBe('fourth');
});

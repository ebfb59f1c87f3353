import { WorkLag } from '@retrigger/engine/work-lag.ts';
import type { PartitionProgress } from '@retrigger/ports/log.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

/** A lag over a log whose offsets a test sets. */
function startLag() {
  const clock = new ManualClock(1_000_000);
  const world = { clock, progress: async (): Promise<PartitionProgress[]> => [] };
  const lag = new WorkLag({ progress: () => world.progress() }, 'work', 'workers', clock);
  const at = (partition: number, committed: number, end: number) => ({ partition, committed, end });
  const look = async (afterMs: number, ...found: PartitionProgress[]) => {
    await clock.advance(afterMs);
    world.progress = async () => found;
    return lag.turn();
  };
  return Object.assign(world, { lag, at, look });
}

describe('how far the workers are behind', () => {
  test('a partition whose records are finished has no age, however long nothing came', async () => {
    const { lag, at, look, clock } = startLag();
    for (let i = 0; i < 20; i++) await look(1_000, at(0, 7, 7));
    expect([lag.ageMs(0), lag.oldestMs(), lag.ageMs(99)]).toEqual([0, 0, 0]);
    expect(await look(0, at(0, 7, 7)), 'it looks again in a second').toBe(clock.now() + 1_000);
  });

  test('the oldest unfinished record ages from the first look that showed it; others have theirs', async () => {
    const { lag, at, look } = startLag();
    await look(0, at(0, 5, 5), at(1, 0, 3));
    await look(1_000, at(0, 5, 9), at(1, 0, 3));
    await look(4_000, at(0, 5, 9), at(1, 0, 3));
    expect([lag.ageMs(0), lag.ageMs(1), lag.oldestMs()]).toEqual([4_000, 5_000, 5_000]);
  });

  test('workers that get on but can’t keep up are as late as their oldest record, not as their whole backlog', async () => {
    const { lag, at, look } = startLag();
    for (let second = 0; second < 60; second++) await look(1_000, at(0, Math.max(0, (second - 3) * 10), (second + 1) * 10));
    expect(lag.ageMs(0)).toBeGreaterThanOrEqual(2_000);
    expect(lag.ageMs(0)).toBeLessThanOrEqual(4_000);
  });

  test('what can’t be asked is no lag, and the next look begins anew (A2)', async () => {
    const world = startLag();
    const { lag, at, look } = world;
    await look(0, at(0, 0, 1));
    await look(20_000, at(0, 0, 1));
    expect(lag.ageMs(0)).toBe(20_000);
    world.progress = () => Promise.reject(new Error('no broker'));
    await lag.turn();
    expect(lag.oldestMs()).toBe(0);
    await look(1_000, at(0, 0, 1));
    await look(1_000, at(0, 0, 1));
    expect(lag.oldestMs()).toBe(1_000);
  });

  test('A1: an age is never overstated, and at most a look too young', async () => {
    const steps = fc.array(fc.record({ appended: fc.nat(3), finished: fc.nat(4) }), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const { lag, at, look, clock } = startLag();
        const appendedAt: number[] = [];
        let committed = 0;
        await look(0, at(0, 0, 0));
        for (const { appended, finished } of history) {
          for (let i = 0; i < appended; i++) appendedAt.push(clock.now() + 500);
          committed = Math.min(appendedAt.length, committed + finished);
          await look(1_000, at(0, committed, appendedAt.length));
          const oldest = appendedAt[committed];
          const age = oldest === undefined ? 0 : clock.now() - oldest;
          expect(lag.ageMs(0)).toBeLessThanOrEqual(age);
          expect(lag.ageMs(0)).toBeGreaterThan(age - 1_000);
        }
      }),
    );
  });
});

import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { Due } from '@retrigger/ports/snapshot-store.ts';
import { describe, expect, test } from 'vitest';
import { MORNING } from './owner.ts';
import { KEY, owning } from './wake-up-trial.ts';

describe('a due time', () => {
  test('is woken when this clock has reached it, not before', async () => {
    const trial = await owning();
    trial.settle(5_000);
    await trial.clock.advance(4_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 5_000, wakeAt: 5_000, silentSince: null }]);
  });

  test('is read at the assignment, and when it comes into the horizon', async () => {
    const trial = await owning([{ key: KEY, wakeAt: MORNING + 3_000, wakeKind: 'due' }]);
    await trial.clock.advance(3_000);
    expect(trial.times).toEqual([3_000]);
    trial.settle(70_000);
    trial.due = () => Promise.resolve([{ key: KEY, wakeAt: MORNING + 70_000, wakeKind: 'due' }]);
    await trial.clock.advance(17_000);
    expect(await trial.wakeUps.refill()).toBe(MORNING + 40_000);
    await trial.clock.advance(50_000);
    expect(trial.times).toEqual([3_000, 70_000]);
  });

  test('that proves early by the log’s clock is armed again for the difference (K3)', async () => {
    const trial = await owning();
    trial.settle(5_000);
    await trial.clock.advance(5_000);
    trial.landed(4_700, 5_000);
    await trial.clock.advance(300);
    expect(trial.times).toEqual([5_000, 5_300]);
  });

  test('that proves early is armed for the difference also when it was read from the store', async () => {
    const trial = await owning([{ key: KEY, wakeAt: MORNING + 5_000, wakeKind: 'due' }]);
    await trial.clock.advance(5_000);
    trial.landed(4_700, 5_000);
    await trial.clock.advance(300);
    expect(trial.times).toEqual([5_000, 5_300]);
  });

  test('has one Wake under way, whatever else is decided, and another after 30 s (K2)', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(2_000);
    trial.settle(1_000);
    trial.settle(1_000, { hasChanged: false });
    await trial.clock.advance(28_999);
    expect(trial.times).toEqual([1_000]);
    await trial.clock.advance(1);
    expect(trial.times).toEqual([1_000, 31_000]);
  });

  test('that is still there after a Wake had effect is woken again at once', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(1_000);
    trial.settle(1_000, { landedAt: MORNING + 1_001 });
    await trial.clock.advance(0);
    expect(trial.times).toEqual([1_000, 1_000]);
  });

  test('that was put off by a clock that was ahead is woken at its time once the clock is right again (K8)', async () => {
    const trial = await owning();
    trial.settle(40_000);
    await trial.clock.advance(10_000);
    const set = (by: number) => trial.clock.set(trial.clock.now() + by);
    set(300_000);
    await trial.clock.advance(10_000); // by this clock it is over; it was looked at 10 s ago
    expect(trial.sent).toHaveLength(1);
    trial.landed(20_000, 40_000); // by the log's it is not: armed again for the difference
    set(-300_000);
    await trial.clock.advance(19_999);
    expect(trial.sent).toHaveLength(1);
    await trial.clock.advance(1);
    expect(trial.times.at(-1)).toBe(40_000);
  });

  test('is woken within 20 s when its time comes because somebody set the clock ahead (K8)', async () => {
    const trial = await owning();
    trial.settle(50_000);
    await trial.clock.advance(1_000);
    trial.clock.set(trial.clock.now() + 300_000);
    await trial.clock.advance(20_000);
    expect(trial.sent).toHaveLength(1);
  });

  test('that waits for others is no lag once it was looked at, and is looked at less and less (K2)', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(1_500);
    expect(trial.wakeUps.oldestLagMs()).toBe(500);
    for (let round = 0; round < 200; round++) {
      trial.landed(trial.now, 1_000);
      expect(trial.wakeUps.oldestLagMs()).toBe(0);
      const { length } = trial.sent;
      while (trial.sent.length === length) await trial.clock.advance(15_000);
    }
    const pauses = trial.times.slice(1).map((at, index) => at - (trial.times[index] ?? 0));
    expect(pauses.slice(1, 8)).toEqual(Array(7).fill(30_000));
    expect(pauses.toSorted((a, b) => a - b).at(-1)).toBeLessThanOrEqual(3_615_000);
    expect(pauses.at(-1)).toBeGreaterThan(3_500_000);
  });

  test('of a waiting task is looked at each minute, and less and less, at most once an hour (K7)', async () => {
    const trial = await owning();
    trial.settle(1_000, { wakeKind: 'check' });
    await trial.clock.advance(1_000);
    for (const hours of [0, 10]) {
      await trial.clock.advance(hours * 3_600_000);
      trial.landed(trial.now, 1_000, { wakeKind: 'check' });
      const [{ length }, from] = [trial.sent, trial.now];
      while (trial.sent.length === length) await trial.clock.advance(1_000);
      const pause = trial.now - from;
      expect(pause).toBeGreaterThanOrEqual(hours === 0 ? 60_000 : 3_600_000);
      expect(pause).toBeLessThanOrEqual(hours === 0 ? 76_000 : 3_601_000);
    }
  });

  test('of many waiting tasks are not looked at all at once by a new owner (K7)', async () => {
    const many: Due[] = Array.from({ length: 1_000 }, (_, nth) => ({
      key: `acme/t${nth}`,
      wakeAt: MORNING - 90_000_000,
      wakeKind: 'check',
    }));
    const trial = await owning(many);
    await trial.clock.advance(60_000);
    expect(trial.sent).toHaveLength(1_000);
    for (let second = 0; second < 60; second++)
      expect(trial.times.filter((at) => at >= second * 1_000 && at < second * 1_000 + 1_000).length).toBeLessThan(50);
  });

  test('that stands at the same time as the one before it is woken at once', async () => {
    const trial = await owning();
    trial.settle(1_000);
    await trial.clock.advance(1_000);
    trial.settle(1_000, { landedAt: MORNING + 1_000, hasChanged: true });
    await trial.clock.advance(1);
    expect(trial.times).toEqual([1_000, 1_000]);
  });

  test('is tried again a second after an append that failed', async () => {
    const trial = await owning();
    trial.isLogDown = true;
    trial.settle(1_000);
    await trial.clock.advance(1_500);
    trial.isLogDown = false;
    await trial.clock.advance(500);
    expect(trial.times).toEqual([2_000]);
  });

  test('that is gone, or another’s, is woken no more', async () => {
    const trial = await owning();
    trial.settle(1_000);
    trial.settle(null);
    await trial.clock.advance(2_000);
    trial.settle(3_000);
    trial.wakeUps.revoked([0]);
    trial.settle(4_000);
    await trial.clock.advance(60_000);
    expect(trial.sent).toEqual([]);
  });

  test('that was decided while the store was read counts, not what was read (K6)', async () => {
    const trial = await owning();
    let answer: (due: Due[]) => void = () => {};
    trial.due = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const refilled = trial.wakeUps.refill();
    trial.settle(2_000);
    answer([{ key: KEY, wakeAt: MORNING + 50_000, wakeKind: 'due' }]);
    await refilled;
    await trial.clock.advance(2_000);
    expect(trial.times).toEqual([2_000]);
  });

  test('has Wakes with ids of their own, for each may lead to an event', () => {
    const ids = [1, 2].map((sentAt) => wakeCommand('acme', 'deploy', MORNING, null, sentAt).commandId);
    expect(new Set(ids).size).toBe(2);
  });
});

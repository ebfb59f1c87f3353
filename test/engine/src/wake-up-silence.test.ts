import { describe, expect, test } from 'vitest';
import { MORNING } from './owner.ts';
import { KEY, owning, Trial } from './wake-up-trial.ts';

describe('silence of an executor', () => {
  const beating = { wakeKind: 'heartbeat', dueAt: null } as const;

  test('is counted from its last heartbeat (K5)', async () => {
    const trial = await owning();
    trial.settle(50_000, beating);
    await trial.clock.advance(40_000);
    trial.wakeUps.heartbeat(KEY, MORNING + 40_000);
    await trial.clock.advance(59_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 100_000, wakeAt: 50_000, silentSince: 40_000 }]);
  });

  test('is forgiven for one full time-out after an assignment', async () => {
    const trial = new Trial();
    await trial.clock.advance(50_000);
    await trial.wakeUps.assigned([0]);
    trial.settle(50_000, beating);
    await trial.clock.advance(59_999);
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(1);
    expect(trial.sent).toEqual([{ at: 110_000, wakeAt: 50_000, silentSince: 50_000 }]);
  });

  test('does not hide a deadline: that is woken in its time while heartbeats go on', async () => {
    const trial = await owning();
    trial.settle(50_000, { ...beating, dueAt: MORNING + 90_000 });
    for (let beat = 15_000; beat < 90_000; beat += 15_000) {
      await trial.clock.advance(15_000);
      trial.wakeUps.heartbeat(KEY, MORNING + beat);
      trial.settle(50_000, { ...beating, dueAt: MORNING + 90_000, hasChanged: false });
    }
    expect(trial.sent).toEqual([]);
    await trial.clock.advance(15_000);
    expect(trial.times).toEqual([90_000]);
  });

  test('does not hide a deadline that a patch has set meanwhile', async () => {
    const trial = await owning();
    trial.settle(50_000, beating);
    await trial.clock.advance(70_000);
    trial.wakeUps.heartbeat(KEY, MORNING + 69_000);
    trial.settle(50_000, { ...beating, dueAt: MORNING + 80_000 });
    const before = trial.sent.length;
    await trial.clock.advance(10_000);
    expect(trial.times.slice(before)).toEqual([80_000]);
  });

  test('does not hide a deadline that proves early by the log’s clock', async () => {
    const trial = await owning();
    const both = { ...beating, dueAt: MORNING + 70_000 };
    trial.settle(50_000, both);
    trial.wakeUps.heartbeat(KEY, MORNING + 20_000);
    await trial.clock.advance(70_000);
    trial.landed(69_900, 50_000, both);
    await trial.clock.advance(100);
    expect(trial.times).toEqual([70_000, 70_100]);
  });

  test('is remembered while recurring runs are left out', async () => {
    const trial = await owning();
    trial.wakeUps.heartbeat(KEY, MORNING + 5_000);
    trial.settle(10_000);
    trial.settle(20_000);
    trial.settle(30_000, beating);
    expect(trial.wakeUps.silentSince(KEY, 0)).toBe(MORNING + 5_000);
  });
});

test('the lag is that of the oldest due time; who waits for others is not late', async () => {
  const trial = await owning();
  expect(trial.wakeUps.oldestLagMs()).toBe(0);
  trial.settle(1_000);
  trial.settle(500, { key: 'acme/waiting', wakeKind: 'check' });
  await trial.clock.advance(4_000);
  expect(trial.wakeUps.oldestLagMs()).toBe(3_000);
  trial.wakeUps.stop();
});

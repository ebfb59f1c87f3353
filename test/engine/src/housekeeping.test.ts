import { Housekeeping } from '@retrigger/engine/housekeeping.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores, fakeReceipts, fakeSnapshots } from './fake-stores.ts';
import { ManualClock } from './manual-clock.ts';
import { MORNING } from './owner.ts';

const DAY_MS = 86_400_000;

function kept(before: (call: string) => Promise<void> = () => Promise.resolve()) {
  const [stores, clock] = [new FakeStores(), new ManualClock(MORNING)];
  const [snapshots, receipts] = [fakeSnapshots(stores, before), fakeReceipts(stores, before)];
  return { stores, clock, snapshots, housekeeping: new Housekeeping({ snapshots, receipts }, clock) };
}

describe('housekeeping', () => {
  test('saves the marks that have moved, and is due again in a second', async () => {
    const { stores, housekeeping } = kept();
    housekeeping.passed(0, 100);
    housekeeping.passed(1, 200);
    expect(await housekeeping.turn()).toBe(MORNING + 1_000);
    await housekeeping.turn();
    housekeeping.passed(1, 300);
    await housekeeping.turn();
    expect(stores.marks).toEqual([
      [0, 100],
      [1, 200],
      [1, 300],
    ]);
  });

  test('tries a mark again that could not be saved (H1)', async () => {
    const { stores, snapshots, housekeeping } = kept();
    const { saveMark } = snapshots;
    snapshots.saveMark = () => Promise.reject(new Error('no store'));
    housekeeping.passed(0, 100);
    await expect(housekeeping.turn()).rejects.toThrow('no store');
    snapshots.saveMark = saveMark;
    await housekeeping.turn();
    expect(stores.marks).toEqual([[0, 100]]);
  });

  test('leaves alone what it has lost', async () => {
    const { stores, clock, housekeeping } = kept();
    housekeeping.passed(0, 100);
    housekeeping.lost([0]);
    await clock.advance(600_000);
    await housekeeping.turn();
    expect([stores.marks, stores.sweeps]).toEqual([[], []]);
  });

  test('sweeps every ten minutes what is a day older than the partition’s own mark (H2)', async () => {
    const { stores, clock, housekeeping } = kept();
    housekeeping.passed(0, MORNING - 5_000);
    await housekeeping.turn();
    expect(stores.sweeps).toEqual([]);
    await clock.advance(600_000);
    await housekeeping.turn();
    await housekeeping.turn();
    expect(stores.sweeps).toEqual([[0, MORNING - 5_000 - DAY_MS]]);
  });
});

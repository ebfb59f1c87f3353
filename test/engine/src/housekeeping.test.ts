import { Housekeeping } from '@retrigger/engine/housekeeping.ts';
import { lowestMark } from '@retrigger/engine/lowest-mark.ts';
import { isTick } from '@retrigger/engine/ticks.ts';
import type { Log } from '@retrigger/ports/log.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores, fakeReceipts, fakeSnapshots } from './fake-stores.ts';
import { ManualClock } from './manual-clock.ts';
import { MORNING } from './owner.ts';

const DAY_MS = 86_400_000;
const PARTITIONS = 3;

/** Housekeeping of some partitions; `ticked` are the partitions of the ticks that it appended. */
async function kept(partitions: number[], stores = new FakeStores()) {
  const [clock, ticked] = [new ManualClock(MORNING), [] as number[]];
  const log: Pick<Log, 'append' | 'partitionOf' | 'partitionCount'> = {
    partitionCount: () => PARTITIONS,
    partitionOf: (_topic, key) => key.length % PARTITIONS,
    async append(_topic, records) {
      for (const record of records) {
        expect(isTick(record)).toBe(true);
        ticked.push(record.key.length % PARTITIONS);
      }
    },
  };
  const [snapshots, receipts] = [fakeSnapshots(stores, () => Promise.resolve()), fakeReceipts(stores, () => Promise.resolve())];
  const housekeeping = new Housekeeping({ log, snapshots, receipts, clock });
  await housekeeping.assigned(partitions);
  return { stores, clock, snapshots, ticked, housekeeping };
}

/** The same, where the ticks of the assignment (T4) have passed at 100 and everything is quiet. */
async function quiet(partitions: number[], stores?: FakeStores) {
  const world = await kept(partitions, stores);
  for (const partition of partitions) world.housekeeping.passed(partition, 100);
  for (const partition of partitions) world.housekeeping.passed(partition, 101);
  for (let turn = 0; turn < 3; turn++) await world.housekeeping.turn();
  world.ticked.length = 0;
  world.stores.marks.length = 0;
  return world;
}

describe('marks', () => {
  test('those that have moved are saved, and the next turn is due in a quarter of a second', async () => {
    const { stores, housekeeping } = await quiet([0, 1]);
    housekeeping.passed(0, 200);
    housekeeping.stored(0, 150);
    housekeeping.passed(1, 300);
    expect(await housekeeping.turn()).toBe(MORNING + 250);
    await housekeeping.turn();
    expect(stores.marks).toEqual([
      [0, { at: 200, newest: 150 }],
      [1, { at: 300, newest: 100 }],
    ]);
  });

  test('one that could not be saved is tried again (T1)', async () => {
    const { stores, snapshots, housekeeping } = await quiet([0]);
    const { saveMark } = snapshots;
    snapshots.saveMark = () => Promise.reject(new Error('no store'));
    housekeeping.passed(0, 200);
    await expect(housekeeping.turn()).rejects.toThrow('no store');
    snapshots.saveMark = saveMark;
    await housekeeping.turn();
    expect(stores.marks).toEqual([[0, { at: 200, newest: 100 }]]);
  });

  test('what was lost is left alone', async () => {
    const { stores, clock, housekeeping, ticked } = await quiet([0]);
    housekeeping.passed(0, 200);
    housekeeping.stored(0, 200);
    housekeeping.lost([0]);
    housekeeping.passed(0, 300);
    housekeeping.stored(0, 300);
    await clock.advance(600_000);
    await housekeeping.turn();
    expect([stores.marks, stores.sweeps, ticked]).toEqual([[], [], []]);
  });

  test('log time that goes back moves no mark, and no event may be older than it (T2)', async () => {
    const { housekeeping } = await quiet([0]);
    housekeeping.passed(0, 500);
    housekeeping.passed(0, 400);
    expect(housekeeping.notBefore(0)).toBe(500);
  });

  test('a new owner goes on from the mark that is stored (T2)', async () => {
    const stores = new FakeStores();
    stores.marks.push([0, { at: 700, newest: 0 }]);
    const { housekeeping } = await kept([0], stores);
    expect([housekeeping.notBefore(0), housekeeping.notBefore(1)]).toEqual([700, 0]);
  });
});

describe('ticks', () => {
  test('an idle partition gets one when some event may be as new as its mark; a quiet one gets none (T3)', async () => {
    const { housekeeping, ticked } = await quiet([0, 1, 2]);
    for (let turn = 0; turn < 5; turn++) await housekeeping.turn();
    expect(ticked).toEqual([]);
    housekeeping.passed(1, 200);
    housekeeping.stored(1, 200);
    await housekeeping.turn();
    expect(ticked.sort(), 'partition 1 moves by itself').toEqual([0, 2]);
    housekeeping.passed(0, 210);
    housekeeping.passed(2, 210);
    await housekeeping.turn();
    await housekeeping.turn();
    expect(ticked.sort(), 'its mark is the time of its event, which is not before it').toEqual([0, 1, 2]);
    housekeeping.passed(1, 220);
    for (let turn = 0; turn < 5; turn++) await housekeeping.turn();
    expect(ticked).toHaveLength(3);
  });

  test('the events of other owners count (T3)', async () => {
    const { housekeeping, stores, ticked } = await quiet([0]);
    stores.marks.push([1, { at: 90, newest: 500 }]);
    await housekeeping.turn();
    expect(ticked).toEqual([0]);
  });

  test('one is under way at a time; a lost one is sent again after 5 s', async () => {
    const { housekeeping, clock, stores, ticked } = await quiet([0]);
    stores.marks.push([1, { at: 90, newest: 500 }]);
    for (let turn = 0; turn < 5; turn++) await housekeeping.turn();
    expect(ticked).toEqual([0]);
    await clock.advance(5_000);
    await housekeeping.turn();
    expect(ticked).toEqual([0, 0]);
  });

  test('one that is lost is sent again also when the clock was set back meanwhile (T5)', async () => {
    const { housekeeping, clock, stores, ticked } = await quiet([0]);
    stores.marks.push([1, { at: 100, newest: 500 }]);
    await housekeeping.turn();
    expect(ticked).toEqual([0]);
    clock.set(clock.now() - 300_000);
    await housekeeping.turn();
    await housekeeping.turn();
    expect(ticked).toEqual([0, 0]);
  });

  test('a new owner ticks once and counts that as an event, for it does not know what was stored after the last mark (T4)', async () => {
    const stores = new FakeStores();
    stores.marks.push([0, { at: 700, newest: 0 }]);
    const { housekeeping, ticked } = await kept([0], stores);
    await housekeeping.turn();
    expect(ticked).toEqual([0]);
    housekeeping.passed(0, 800);
    await housekeeping.turn();
    expect(stores.marks.at(-1)).toEqual([0, { at: 800, newest: 800 }]);
  });
});

test('the lowest mark is that of all partitions, and the beginning of time while one has none (M1)', async () => {
  const { stores, snapshots } = await quiet([0]);
  stores.marks.push([0, { at: 30, newest: 0 }], [1, { at: 20, newest: 9 }]);
  expect(await lowestMark(snapshots, 2)).toBe(20);
  expect(await lowestMark(snapshots, 3)).toBe(0);
});

test('receipts are swept every ten minutes: what is a day older than the partition’s own mark (H2)', async () => {
  const { stores, clock, housekeeping } = await quiet([0]);
  housekeeping.passed(0, MORNING - 5_000);
  await housekeeping.turn();
  expect(stores.sweeps).toEqual([]);
  await clock.advance(600_000);
  await housekeeping.turn();
  await housekeeping.turn();
  expect(stores.sweeps).toEqual([[0, MORNING - 5_000 - DAY_MS]]);
});

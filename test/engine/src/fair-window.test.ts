import { FairWindow } from '@retrigger/engine/fair-window.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

const record = (offset: number, tenantId: string, bytes = 1): LogRecord => ({
  topic: 'work',
  partition: 0,
  offset,
  at: 1_000 + offset,
  key: `${tenantId}/task-${offset % 3}`,
  value: new Uint8Array(bytes),
  headers: {},
});
/** Records with these tenants, one letter each, in log order. */
const records = (tenants: string, from = 0): LogRecord[] => [...tenants].map((tenantId, i) => record(from + i, tenantId));
const letters = (slice: LogRecord[]): string => slice.map(({ key }) => key[0]).join('');

/** A window whose slices a test ends, one after the other. */
function startWindow(sliceRecords?: number) {
  const clock = new ManualClock(0);
  const world = {
    clock,
    slices: [] as LogRecord[][],
    commits: [] as number[],
    marks: [] as number[],
    decided: new Set<number>(),
    /** Whether its commits count. */
    isOwner: true,
    commit: async (next: number): Promise<void> => void world.commits.push(next),
    end: (_error?: Error): void => {},
    settled: async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
    },
    /** Ends the slice that runs. */
    next: async (error?: Error): Promise<void> => {
      world.end(error);
      await world.settled();
    },
  };
  const window = new FairWindow(
    async (slice, finish) => {
      world.slices.push(slice);
      await new Promise<void>((resolve, reject) => {
        world.end = (error) => (error === undefined ? resolve() : reject(error));
      });
      for (const { offset } of slice) world.decided.add(offset);
      await finish();
    },
    (at) => world.marks.push(at),
    { clock, observer: silent },
    sliceRecords,
  );
  const add = (some: LogRecord[]) =>
    window.add(some, async (next) => {
      await world.commit(next);
      return world.isOwner;
    });
  return Object.assign(world, { window, add });
}

describe('what the owner of a partition has read ahead', () => {
  test('is no mark when the commit did not count (Q2)', async () => {
    const world = startWindow();
    await world.add(records('ab'));
    world.isOwner = false;
    await world.next();
    await world.add(records('c', 2));
    world.isOwner = true;
    await world.next();
    expect([world.commits, world.marks]).toEqual([[2, 3], [record(2, 'c').at]]);
  });

  test('is taken in turns: whoever comes behind a backlog is in the next slice (Q1)', async () => {
    const world = startWindow(4);
    await world.add(records('aaaaaaaaaaaa'));
    await world.add(records('b', 12));
    await world.next();
    expect(world.slices.map(letters)).toEqual(['aaaa', 'aaab']);
    await world.add(records('ccb', 13));
    await world.next();
    expect(letters(world.slices[2] ?? [])).toBe('aacb');
  });

  test('moves the offset and the mark to the lowest unfinished record only (Q2)', async () => {
    const world = startWindow(2);
    await world.add(records('aaaab'));
    await world.next();
    await world.next();
    expect([world.slices.map(letters), world.commits, world.marks]).toEqual([
      ['ab', 'aa', 'a'],
      [1, 3],
      [1_000, 1_002],
    ]);
    await world.next();
    expect([world.commits.at(-1), world.marks.at(-1)]).toEqual([5, 1_004]);
  });

  test('decides a slice that failed again after a pause, and nothing else meanwhile (Q3)', async () => {
    const world = startWindow(2);
    await world.add(records('aaa'));
    await world.next(new Error('no store'));
    expect(world.slices).toHaveLength(1);
    await world.clock.advance(100);
    await world.settled();
    expect(world.slices.map(letters)).toEqual(['aa', 'aa']);
    await world.next();
    await world.next();
    expect([world.slices.length, world.commits]).toEqual([3, [2, 3]]);
  });

  test('an offset that could not be moved is tried again after a pause, and its slice is not (Q3)', async () => {
    const world = startWindow(2);
    const { commit } = world;
    world.commit = () => Promise.reject(new Error('no broker'));
    await world.add(records('aa'));
    await world.next();
    expect([world.commits, world.marks]).toEqual([[], []]);
    world.commit = commit;
    await world.clock.advance(100);
    await world.settled();
    expect([world.slices.length, world.commits, world.marks]).toEqual([1, [2], [1_001]]);
  });

  test('the next slice does not wait for the offset, and hears of no mark that moves under it (Q6)', async () => {
    const world = startWindow(2);
    const { commit } = world;
    const moved = Promise.withResolvers<void>();
    world.commit = async (next) => {
      await moved.promise;
      await commit(next);
    };
    await world.add(records('aaaaa'));
    await world.next();
    expect([world.slices.map(letters), world.commits]).toEqual([['aa', 'aa'], []]);
    moved.resolve();
    await world.settled();
    expect([world.commits, world.marks]).toEqual([[2], []]);
    await world.next();
    expect([world.slices.length, world.marks]).toEqual([3, [1_001]]);
    await world.next();
    expect([world.commits, world.marks]).toEqual([
      [2, 4, 5],
      [1_001, 1_003, 1_004],
    ]);
  });

  test('a close waits for the offset of the slice that ran', async () => {
    const world = startWindow(2);
    const { commit } = world;
    const moved = Promise.withResolvers<void>();
    world.commit = async (next) => {
      await moved.promise;
      await commit(next);
    };
    await world.add(records('aa'));
    await world.next();
    const closing = world.window.close().then(() => world.commits.push(-1));
    await world.settled();
    expect(world.commits).toEqual([]);
    moved.resolve();
    await closing;
    expect([world.commits, world.marks]).toEqual([[2, -1], []]);
  });

  test('takes no more than it has room for until something is taken out (Q4)', async () => {
    const world = startWindow(200);
    let hasRoom = false;
    const adding = world.add(records('a'.repeat(2_200))).then(() => {
      hasRoom = true;
    });
    await world.settled();
    expect(hasRoom).toBe(false);
    await world.next();
    expect(hasRoom).toBe(true);
    await adding;
    const large = world.add([record(5_000, 'b', 5 * 1_048_576)]);
    let isIn = false;
    void large.then(() => {
      isIn = true;
    });
    await world.settled();
    expect(isIn, 'bytes are bounded too').toBe(false);
    await world.next();
    expect(isIn).toBe(true);
  });

  test('when it is closed the slice that runs ends and commits, and nothing else begins (Q5)', async () => {
    const world = startWindow(2);
    await world.add(records('aaaa'));
    let isClosed = false;
    const closing = world.window.close().then(() => {
      isClosed = true;
    });
    await world.settled();
    expect(isClosed).toBe(false);
    await world.next();
    await closing;
    await world.add(records('a', 4));
    await world.settled();
    expect([world.slices.length, world.commits, world.marks]).toEqual([1, [2], []]);
  });

  test('a close ends the pause of a slice that failed', async () => {
    const world = startWindow(2);
    await world.add(records('aa'));
    await world.next(new Error('no store'));
    await world.window.close();
    expect([world.slices.length, world.commits]).toEqual([1, []]);
  });

  test('Q1, Q2: whatever comes and fails, each record is decided in its tenant’s order and no offset passes one that is not', async () => {
    const step = fc.record({ tenants: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), async (steps, sliceRecords) => {
        const world = startWindow(sliceRecords);
        const { commit } = world;
        const passed: number[] = [];
        let end = 0;
        world.commit = async (next) => {
          for (let offset = 0; offset < next; offset++) if (!world.decided.has(offset)) passed.push(offset); // Q2
          await commit(next);
        };
        for (const { tenants, fails } of steps) {
          await world.add(records(tenants, end));
          end += tenants.length;
          await world.next(fails ? new Error('no store') : undefined);
          await world.clock.advance(10_000);
          await world.settled();
        }
        while (world.decided.size < end) {
          await world.next();
          await world.clock.advance(10_000);
          await world.settled();
        }
        await world.settled();
        for (const tenantId of 'abc') {
          const order = [...new Set(world.slices.flat().flatMap(({ key, offset }) => (key[0] === tenantId ? [offset] : [])))];
          expect(order).toEqual(order.toSorted((one, other) => one - other)); // Q1
        }
        expect(passed).toEqual([]);
        expect(world.commits.at(-1) ?? 0).toBe(end);
        expect(world.commits).toEqual(world.commits.toSorted((one, other) => one - other));
      }),
    );
  });
});

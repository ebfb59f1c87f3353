import { type DueTime, DueTimes } from '@retrigger/engine/due-times.ts';
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { expect, test } from 'vitest';

const due = (key: string, fireAt: number): DueTime => ({
  ...{ key, fireAt, partition: 0, wakeAt: fireAt, wakeKind: 'due', dueAt: fireAt, isSent: false, isIdle: false },
});

/** Takes everything out, the next to fire first. */
function drain(times: DueTimes): DueTime[] {
  const taken: DueTime[] = [];
  for (let next = times.peek(); next !== undefined; next = times.peek()) {
    taken.push(next);
    times.delete(next.key);
  }
  return taken;
}

test('the next to fire is always first, whatever was set, replaced and taken away', () => {
  const change = record({
    key: constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    fireAt: integer({ min: 0, max: 20 }),
    what: constantFrom('set', 'set', 'delete'),
  });
  assert(
    property(array(change, { maxLength: 60 }), (changes) => {
      const [times, model] = [new DueTimes(), new Map<string, number>()];
      for (const { key, fireAt, what } of changes) {
        if (what === 'set') {
          times.set(due(key, fireAt));
          model.set(key, fireAt);
        } else {
          times.delete(key);
          model.delete(key);
        }
        expect(times.size).toBe(model.size);
        expect(times.peek()?.fireAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
      }
      expect(drain(times).map(({ fireAt }) => fireAt)).toEqual([...model.values()].sort((a, b) => a - b));
    }),
  );
});

test('a key holds one due time: the last that was set', () => {
  const times = new DueTimes();
  for (const fireAt of [5, 1, 9]) times.set(due('a', fireAt));
  expect(times.get('a')?.fireAt).toBe(9);
  expect(drain(times)).toHaveLength(1);
});

test('looking does not take', () => {
  const times = new DueTimes();
  times.set(due('a', 1));
  expect(times.peek()).toBe(times.peek());
  expect([...times.values()]).toHaveLength(1);
});

import { InFlightWindow } from '@retrigger/dispatcher/in-flight-window.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('F1: the offset stays at the lowest unfinished record and then passes all that were finished behind it', () => {
  const window = new InFlightWindow();
  for (const offset of [10, 11, 12]) expect(window.take(offset)).toBe(true);
  expect(window.finish(12)).toBeUndefined();
  expect(window.finish(10)).toBe(11);
  expect(window.finish(11)).toBe(13);
  expect(window.size).toBe(0);
});

test('F1: offsets may have gaps', () => {
  const window = new InFlightWindow();
  for (const offset of [3, 7, 20]) window.take(offset);
  expect(window.finish(3)).toBe(7);
  expect(window.finish(20)).toBeUndefined();
  expect(window.finish(7)).toBe(21);
});

test('F3: a record that is delivered again is not taken again, running or finished', () => {
  const window = new InFlightWindow();
  window.take(0);
  window.take(1);
  window.finish(0);
  expect(window.take(0)).toBe(false);
  expect(window.take(1)).toBe(false);
  expect(window.finish(0)).toBeUndefined();
  expect(window.take(2)).toBe(true);
});

test('F1, F2: in whatever order records come again and finish, the offset is the lowest unfinished one and never goes back', () => {
  const step = fc.record({ isTake: fc.boolean(), pick: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = new InFlightWindow();
      const unfinished = new Set<number>();
      let [taken, committed] = [0, 0];
      for (const { isTake, pick } of steps) {
        if (isTake) {
          const offset = pick < 20 ? taken : Math.min(taken, pick - 20);
          const isNew = offset === taken;
          expect(window.take(offset)).toBe(isNew);
          if (isNew) {
            unfinished.add(offset);
            taken++;
          }
          continue;
        }
        const next = window.finish(pick);
        unfinished.delete(pick);
        if (next === undefined) continue;
        expect(next).toBeGreaterThan(committed);
        expect(next).toBe(Math.min(taken, ...unfinished));
        committed = next;
      }
      expect(committed).toBe(Math.min(taken, ...unfinished));
    }),
  );
});

import type { Clock } from '@retrigger/ports/clock.ts';
import { describe, expect, test } from 'vitest';

export type ClockAdapter = {
  clock: Clock;
  /** Lets this much of the clock's time pass. */
  pass(ms: number): Promise<void>;
};

/** The clock port's definition. */
export function clockContract(name: string, open: () => ClockAdapter): void {
  describe(`${name} clock`, () => {
    test('counts milliseconds', async () => {
      const { clock, pass } = open();
      const before = clock.now();
      await pass(20);
      expect(clock.now() - before).toBeGreaterThanOrEqual(20);
    });

    test('a timer fires once, and not before its time', async () => {
      const { clock, pass } = open();
      const fired: number[] = [];
      const times = [30, 7, 19, 7].map((ms) => clock.now() + ms);
      for (const at of times) clock.timer(at, () => fired.push(clock.now() - at));
      await pass(120);
      expect(fired).toHaveLength(4);
      for (const late of fired) expect(late).toBeGreaterThanOrEqual(0);
      await pass(50);
      expect(fired).toHaveLength(4);
    });

    test('a timer for a past time fires soon, but not before the call returns', async () => {
      const { clock, pass } = open();
      let fired = 0;
      clock.timer(clock.now() - 1_000, () => fired++);
      expect(fired).toBe(0);
      await pass(50);
      expect(fired).toBe(1);
    });

    test('a cancelled timer never fires, and cancelling again or after firing is no error', async () => {
      const { clock, pass } = open();
      let fired = 0;
      const cancel = clock.timer(clock.now() + 10, () => fired++);
      cancel();
      const late = clock.timer(clock.now() + 10, () => fired++);
      await pass(60);
      cancel();
      late();
      expect(fired).toBe(1);
    });

    test('a timer for a time beyond 2^31 ms does not fire at once', async () => {
      const { clock, pass } = open();
      let fired = 0;
      const cancel = clock.timer(clock.now() + 2 ** 31 + 1_000, () => fired++);
      await pass(50);
      cancel();
      expect(fired).toBe(0);
    });
  });
}

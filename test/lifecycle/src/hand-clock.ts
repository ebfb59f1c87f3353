import type { Clock } from '@retrigger/ports/clock.ts';

/** A clock that a test moves by hand. */
export function handClock() {
  let time = 0;
  const timers = new Set<{ at: number; fire: () => void }>();
  const clock: Clock = {
    now: () => time,
    timer(at, fire) {
      const timer = { at, fire };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  return {
    clock,
    pending: () => [...timers].map(({ at }) => at),
    /** Moves to `at`, fires what is due, and lets what follows from it happen. */
    async moveTo(at: number): Promise<void> {
      time = at;
      for (const timer of [...timers]) {
        if (timer.at > at) continue;
        timers.delete(timer);
        timer.fire();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

import type { Clock } from '@retrigger/ports/clock.ts';

/** So soon a timer notices that the calendar was set ahead. */
const LOOK_EVERY_MS = 5_000;

/**
 * A clock whose calendar may be set while it runs (`wallMs`, epoch), beside a count that nobody can set (`steadyMs`).
 * J1: a timer fires when the calendar has reached its time, or when as long has passed as was left when it was armed, whichever comes first: a calendar that is
 * set back holds nothing up, and one that is set ahead is noticed within 5 s.
 */
export const clockOf = (wallMs: () => number, steadyMs: () => number): Clock => ({
  now: wallMs,
  timer(at, fire) {
    const steadyAt = steadyMs() + (at - wallMs());
    let timeout: NodeJS.Timeout;
    const wait = () => {
      const leftMs = Math.min(at - wallMs(), steadyAt - steadyMs()); // J1
      timeout = setTimeout(
        () => (wallMs() >= at || steadyMs() >= steadyAt ? fire() : wait()),
        Math.max(0, Math.min(leftMs, LOOK_EVERY_MS)),
      );
    };
    wait();
    return () => clearTimeout(timeout);
  },
});

/** This machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = clockOf(
  () => Date.now(),
  () => performance.now(),
);

import type { Clock } from '@retrigger/ports/clock.ts';

/** Node's timers hold no more than 2^31 - 1 ms; a longer wait is made of several. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/**
 * A clock whose calendar may be set while it runs (`wallMs`, epoch), beside a count that nobody can set (`steadyMs`).
 * J1: a timer fires when as long has passed as was left when it was armed, whatever the calendar is set to meanwhile: nothing waits for minutes because it was
 * set back, and no time-out is over because it was set ahead. Whoever waits for an instant of the calendar looks at it now and then.
 */
export const clockOf = (wallMs: () => number, steadyMs: () => number): Clock => ({
  now: wallMs,
  timer(at, fire) {
    const firesAt = steadyMs() + (at - wallMs());
    let timeout: NodeJS.Timeout;
    const arm = () => {
      const leftMs = Math.max(0, firesAt - steadyMs());
      timeout = setTimeout(() => (steadyMs() >= firesAt ? fire() : arm()), Math.min(leftMs, LONGEST_TIMEOUT_MS)); // J1
    };
    arm();
    return () => clearTimeout(timeout);
  },
});

/** This machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = clockOf(
  () => Date.now(),
  () => performance.now(),
);

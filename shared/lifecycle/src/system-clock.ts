import type { Clock } from '@retrigger/ports/clock.ts';

/** Node's timers hold no more than 2^31 - 1 ms; a longer wait is made of several. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

/** This machine's clock. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timer(at, fire) {
    let timeout: NodeJS.Timeout;
    const arm = () => {
      const leftMs = Math.max(0, at - Date.now());
      timeout = setTimeout(() => (Date.now() >= at ? fire() : arm()), Math.min(leftMs, LONGEST_TIMEOUT_MS));
    };
    arm();
    return () => clearTimeout(timeout);
  },
};

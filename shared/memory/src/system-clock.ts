import type { Clock } from '@retrigger/ports/clock.ts';

/** The longest delay of a Node timer; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The machine's clock. A timer may wait longer than Node's can, and never fires before `now()` has reached its time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timer(at, fire) {
    let timeout: NodeJS.Timeout;
    const arm = (): void => {
      timeout = setTimeout(() => (Date.now() < at ? arm() : fire()), Math.min(Math.max(0, at - Date.now()), LONGEST_MS));
    };
    arm();
    return () => clearTimeout(timeout);
  },
};

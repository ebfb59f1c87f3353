import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { pauseUntil } from './pause.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;

export type Supervised = {
  /** No turn begins after this is called; resolves when the running one has ended. */
  stop(): Promise<void>;
};

/**
 * Runs `step` again and again until stopped. A step resolves with when its next turn is due (epoch ms; a past one means soon).
 * O1: a throw is logged and the step is run again after 100 ms, doubled for every failure in a row up to 30 s: no turn hangs on the last one's success.
 * O4: when the clock was set back during a turn, the next one is not later by that much.
 * O2: turns never overlap. O3: a stop ends the pause at once, and `stopping` tells a long step.
 */
export function supervise(
  name: string,
  step: (stopping: AbortSignal) => Promise<number>,
  { clock, observer }: { clock: Clock; observer: Observer },
): Supervised {
  const stopping = new AbortController();
  const ended = (async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      let next: number;
      const beganAt = clock.now();
      try {
        next = await step(stopping.signal);
        failures = 0;
      } catch (error) {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures); // O1
        failures++;
        next = Math.max(beganAt, clock.now()) + pauseMs;
        observer.log('error', `${name} failed; it is tried again`, { failures, pauseMs, error: describe(error) });
      }
      const setBackMs = Math.max(0, beganAt - clock.now()); // O4
      await pauseUntil(next - setBackMs, clock, stopping.signal); // O2, O3
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

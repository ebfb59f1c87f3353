import type { Clock } from '@retrigger/ports/clock.ts';

/** What is told within `waitMs`, and before whoever waits must leave; else undefined. */
export function within<T>(told: Promise<T>, waitMs: number, clock: Clock, leaving: AbortSignal | undefined): Promise<T | undefined> {
  if (leaving?.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const end = (found: T | undefined) => {
      cancel();
      leaving?.removeEventListener('abort', leave);
      resolve(found);
    };
    const leave = () => end(undefined);
    const cancel = clock.timer(clock.now() + waitMs, leave);
    leaving?.addEventListener('abort', leave);
    void told.then(end);
  });
}

/** Undefined, after `waitMs`. */
export const nothingWithin = (waitMs: number, clock: Clock): Promise<undefined> =>
  new Promise((resolve) => clock.timer(clock.now() + waitMs, () => resolve(undefined)));

import type { Clock } from '@retrigger/ports/clock.ts';

/** Resolves after `ms`, or as soon as `ended` aborts. */
export function pause(clock: Clock, ms: number, ended?: AbortSignal): Promise<void> {
  if (ended?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      ended?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.timer(clock.now() + ms, finish);
    ended?.addEventListener('abort', finish);
  });
}

/** Resolves with true when `work` has ended (well or not), with false after `ms`. */
export function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.timer(clock.now() + ms, () => resolve(false));
    const finish = () => {
      cancel();
      resolve(true);
    };
    work.then(finish, finish);
  });
}

/** 100 ms, doubled for every failure in a row, up to `longestMs`. */
export const backoffMs = (failures: number, longestMs: number): number => Math.min(longestMs, 100 * 2 ** Math.min(failures, 20));

import type { Clock } from '@retrigger/ports/clock.ts';
import { failureOf, MongoFailure } from './mongo-errors.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Does something with MongoDB, again where that may help. @throws MongoFailure when it does not. */
export type Retry = <T>(operation: () => Promise<T>) => Promise<T>;

/**
 * F1: what is retried may have been done already by the attempt that failed, so every operation given here has the same result when it is done twice.
 * F2: no attempt begins later than `forMs` after the first; then the failure is thrown, and the log delivers the batch again.
 */
export function retryWithin(forMs: number, clock: Clock): Retry {
  return async (operation) => {
    const end = clock.now() + forMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await operation();
      } catch (error) {
        const failure = failureOf(error);
        const next = clock.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
        if (!failure.retry || next > end) throw failure; // F2
        await new Promise<void>((resolve) => clock.timer(next, resolve));
      }
    }
  };
}

/**
 * The same for a caller who waits: F3: they are told `forMs` after the first attempt began, also while one is still under way. What that one was to do may still
 * be done, as after every failure (F1).
 */
export function answerWithin(forMs: number, clock: Clock): Retry {
  const retry = retryWithin(forMs, clock);
  return <T>(operation: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const late = () => reject(new MongoFailure('timeout', `no answer within ${forMs} ms`));
      const cancel = clock.timer(clock.now() + forMs, late); // F3
      retry(operation).then(resolve, reject).finally(cancel);
    });
}

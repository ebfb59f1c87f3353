import type { Clock } from '@retrigger/ports/clock.ts';

/** Resolves when the clock reaches `at` (epoch ms; a past one means soon), or as soon as `signal` aborts. */
export function pauseUntil(at: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.timer(at, end);
    signal.addEventListener('abort', end);
  });
}

import { formatDuration } from './duration.ts';

export const JITTERS = ['none', 'full', 'equal'] as const;
export type Jitter = (typeof JITTERS)[number];

/** Milliseconds; `retryCount` failed attempts lie behind. */
export type BackoffPolicy = { baseMs: number; maxMs: number; jitter: Jitter; retryCount: number };

/** How a delay came about, as the answer to a reschedule shows it. Durations are texts such as `"4m"`. */
export type BackoffDetails = {
  base: string;
  retryCount: number;
  /** 2^retryCount; null when it is past 2^53. */
  factor: number | null;
  /** base × factor, before the cap; null when it is past 2^53 ms. */
  uncapped: string | null;
  cap: string;
  capped: boolean;
  jitter: Jitter;
  /** The delay is between these two, both included. */
  jitterRange: { min: string; max: string };
};

export type Backoff = { delayMs: number; details: BackoffDetails };

/**
 * B1: without jitter the delay is min(maxMs, baseMs × 2^retryCount), whatever the count.
 * B2: full jitter lies in 0…d and equal jitter in d/2…d, where d is the delay without jitter; both ends included, whole milliseconds.
 * B3: the same policy and fraction give the same delay. `fraction` is in [0, 1), see `chance`.
 * Full and equal jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
 */
export function backoff(policy: BackoffPolicy, fraction: number): Backoff {
  const { baseMs, maxMs, jitter, retryCount } = policy;
  const factor = 2 ** Math.min(retryCount, 1_023);
  const uncapped = baseMs * factor;
  const delay = Math.min(maxMs, uncapped);
  const least = jitter === 'none' ? delay : jitter === 'full' ? 0 : Math.ceil(delay / 2);
  const delayMs = least + Math.floor(fraction * (delay - least + 1));
  return {
    delayMs,
    details: {
      base: formatDuration(baseMs),
      retryCount,
      factor: Number.isSafeInteger(factor) ? factor : null,
      uncapped: Number.isSafeInteger(uncapped) ? formatDuration(uncapped) : null,
      cap: formatDuration(maxMs),
      capped: uncapped > maxMs,
      jitter,
      jitterRange: { min: formatDuration(least), max: formatDuration(delay) },
    },
  };
}

import { MAX_AHEAD_MS, parseDuration } from '../duration.ts';
import type { TaskState } from './state.ts';

const FALLBACK_MS = 30_000;

/** When an execution that begins at `at` is likely to end: the task's own estimate, else the median of its last 10 completed executions, else 30 s; at most 366 days ahead. */
export function estimatedCompletion(state: TaskState, at: number): string {
  const own = state.estimatedDuration === null ? undefined : parseDuration(state.estimatedDuration);
  return new Date(at + Math.min(own ?? median(state.durationsMs) ?? FALLBACK_MS, MAX_AHEAD_MS)).toISOString();
}

function median(values: number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : Math.round((low + high) / 2);
}

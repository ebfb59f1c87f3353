/**
 * Time as an argument. The implementer owes: `now` in epoch milliseconds; timers that never fire early by `now` and never more than once;
 * a cancelled timer never fires. Not theirs: agreeing with any other machine's clock.
 */
export interface Clock {
  now(): number;
  /** Calls `fire` once when `now()` has reached `at` (epoch ms; a past one fires soon, never before this returns). Returns its cancellation. */
  timer(at: number, fire: () => void): () => void;
}

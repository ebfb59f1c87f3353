/** Places in a batch that decides something where a process may die; tests die there. `within` places lie after the first of several documents. */
export type CrashPoint =
  | 'decoded'
  | 'loaded'
  | 'decided'
  | 'within-events'
  | 'events-stored'
  | 'within-receipts'
  | 'receipts-stored'
  | 'within-snapshots'
  | 'snapshots-saved'
  | 'within-emit'
  | 'emitted'
  | 'answered'
  | 'committed';

/** Told when a batch has reached a place. Does nothing in production. */
export type Reached = (point: CrashPoint) => void;

export const unobserved: Reached = () => {};

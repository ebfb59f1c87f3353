/** A fixed-window limit. `points` per `windowMs`; 0 points = off. */
export type Limit = { name: string; key: string; points: number; windowMs: number };

export type Charge =
  | {
      kind: 'charged' /** The tightest limit after the charge; null when all are off. */;
      tightest: { name: string; points: number; remaining: number; resetMs: number } | null;
    }
  | { kind: 'limited'; name: string; points: number; remaining: number; retryAfterMs: number };

/** A window that is open: what it has given out, and when it ends (epoch ms). */
export type ChargedWindow = { limit: Limit; used: number; endsAt: number };

/**
 * M1: a charge takes `cost` from every limit or from none.
 * M2: never more than `points` are charged in one window, however many callers there are at once.
 */
export interface Limiter {
  charge(limits: Limit[], cost: number): Promise<Charge>;
  /** Gives a charge back, e.g. for what was then refused before it was appended. */
  refund(limits: Limit[], cost: number): Promise<void>;
  close(): Promise<void>;
}

import type { Limit } from '@retrigger/ports/limiter.ts';

/** When to come again for a place: by then much is decided. */
const RETRY_MS = 1_000;

/** Why a command has no place. The limit has no window: it counts what is there at once. */
export type NoPlace = { kind: 'limited'; limit: Limit; remaining: 0; retryAfterMs: number };

/**
 * A tenant's share of a partition, kept at the door: how many of its commands wait there to be decided. Behind the door a record waits only for those
 * before it, so this bound is what one tenant can make another one wait.
 * F1: never more than `most` at once, of what this process handed in; 0 = no bound. F2: a place is given back once, whatever came of the command.
 */
export class UndecidedShares {
  readonly #most: number;
  readonly #places = new Map<string, string>();
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a place for a command; returns why not when its tenant has none left on that partition. */
  take(commandId: string, tenantId: string, partition: number): NoPlace | undefined {
    const key = `undecided:${partition}/${tenantId}`;
    const taken = this.#taken.get(key) ?? 0;
    if (this.#most > 0 && taken >= this.#most)
      return { kind: 'limited', limit: { name: 'undecided', key, points: this.#most, windowMs: 0 }, remaining: 0, retryAfterMs: RETRY_MS }; // F1
    this.#taken.set(key, taken + 1);
    this.#places.set(commandId, key);
    return undefined;
  }

  /** Gives the command's place back, if it has one. */
  leave(commandId: string): void {
    const key = this.#places.get(commandId);
    if (key === undefined) return; // F2
    this.#places.delete(commandId);
    const left = (this.#taken.get(key) ?? 0) - 1;
    if (left > 0) this.#taken.set(key, left);
    else this.#taken.delete(key);
  }
}

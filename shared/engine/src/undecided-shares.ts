import type { Limit } from '@retrigger/ports/limiter.ts';

/** When to come again for a place: by then much is decided. */
const RETRY_MS = 1_000;
/** A tenant may have so many commands in flight for each that still may be: seven eighths of all when it is alone, and of what others leave when it is not. */
const IN_FLIGHT_PER_FREE = 7;

/** Why a command has no place. The limit has no window: it counts what is there at once. */
export type NoPlace = { kind: 'limited'; limit: Limit; remaining: 0; retryAfterMs: number };

/**
 * A tenant's share of a partition, kept at the door: how many of its commands wait there to be decided. Behind the door a record waits only for those
 * before it, so this bound is what one tenant can make another one wait.
 * F3: however many commands tenants have in flight on however many partitions, the next tenant finds a place.
 * F1: never more than `most` at once, of what this process handed in; 0 = no bound. F2: a place is given back once, whatever came of the command.
 */
export class UndecidedShares {
  readonly #most: number;
  readonly #mostInFlight: number;
  readonly #places = new Map<string, { tenantId: string; key: string }>();
  readonly #taken = new Map<string, number>();
  readonly #inFlight = new Map<string, number>();

  constructor(most: number, mostInFlight: number) {
    this.#most = most;
    this.#mostInFlight = mostInFlight;
  }

  /** Takes a place for a command; returns why not when its tenant has none left on that partition. */
  take(commandId: string, tenantId: string, partition: number): NoPlace | undefined {
    const key = `undecided:${partition}/${tenantId}`;
    const taken = this.#taken.get(key) ?? 0;
    if (this.#most > 0 && taken >= this.#most) return noPlace(key, this.#most); // F1
    const inFlight = this.#inFlight.get(tenantId) ?? 0;
    if (inFlight >= IN_FLIGHT_PER_FREE * (this.#mostInFlight - this.#places.size)) return noPlace(key, inFlight); // F3
    this.#taken.set(key, taken + 1);
    this.#inFlight.set(tenantId, inFlight + 1);
    this.#places.set(commandId, { tenantId, key });
    return undefined;
  }

  /** Gives the command's place back, if it has one. */
  leave(commandId: string): void {
    const place = this.#places.get(commandId);
    if (place === undefined) return; // F2
    this.#places.delete(commandId);
    oneLess(this.#taken, place.key);
    oneLess(this.#inFlight, place.tenantId);
  }
}

const noPlace = (key: string, points: number): NoPlace => ({
  ...{ kind: 'limited', limit: { name: 'undecided', key, points, windowMs: 0 }, remaining: 0, retryAfterMs: RETRY_MS },
});

function oneLess(counts: Map<string, number>, name: string): void {
  const left = (counts.get(name) ?? 0) - 1;
  if (left > 0) counts.set(name, left);
  else counts.delete(name);
}

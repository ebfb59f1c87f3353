import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';

/** Keys that are older are fetched anew while they go on serving. */
const REFRESH_AFTER_MS = 300_000;
/** Keys that are older, because nobody came meanwhile, serve only when the issuer has been asked. */
const STALE_AFTER_MS = 600_000;
/** The issuer is asked no more often. */
const COOLDOWN_MS = 10_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * The public keys of a token issuer.
 * Z4: a key that is not known is looked for at the issuer, but whoever sends made-up names of keys makes us ask no more than once in 10 s.
 * Z6: of what was done by a clock that was set back since nobody knows the age: then the issuer is asked.
 * Z5: an issuer that does not answer takes nothing away: the keys that are known go on.
 */
export class IssuerKeys {
  #keys: KeySet | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;
  readonly #fetch: () => Promise<JSONWebKeySet>;
  readonly #clock: Clock;
  readonly #observer: Observer;

  constructor(fetch: () => Promise<JSONWebKeySet>, { clock, observer }: { clock: Clock; observer: Observer }) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** The key that a token's header names. @throws when there is none. */
  async keyOf(header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<KeySet> {
    const keys = this.#keys;
    if (keys === null) return this.#afterFetch(header, token);
    const now = this.#clock.now();
    if (now - Math.max(this.#fetchedAt, this.#triedAt) >= STALE_AFTER_MS) return this.#afterFetch(header, token);
    if (now - this.#fetchedAt >= REFRESH_AFTER_MS || now < this.#fetchedAt) void this.#fetchOnce(); // Z6
    return keys(header, token).catch((error: unknown) => {
      if (error instanceof errors.JWKSNoMatchingKey) return this.#afterFetch(header, token); // Z4
      throw error;
    });
  }

  async #afterFetch(header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<KeySet> {
    await this.#fetchOnce();
    if (this.#keys === null) throw new errors.JWKSNoMatchingKey();
    return this.#keys(header, token);
  }

  /** Joins the fetch that is under way; does nothing within the cooldown. Never throws. */
  async #fetchOnce(): Promise<void> {
    const now = this.#clock.now();
    if (this.#fetching === null && now >= this.#triedAt && now - this.#triedAt < COOLDOWN_MS) return; // Z6
    this.#fetching ??= this.#fetchNow(now).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchNow(now: number): Promise<void> {
    this.#triedAt = now;
    try {
      this.#keys = createLocalJWKSet(await this.#fetch());
      this.#fetchedAt = now;
    } catch (error) {
      this.#observer.log('warn', 'the keys of the token issuer could not be fetched', { error: reasonOf(error) }); // Z5
    }
  }
}

/** What `fetch` throws has the reason as its cause. */
const reasonOf = (error: unknown): string => String(error instanceof Error && error.cause !== undefined ? error.cause : error);

import type { Clock } from '@retrigger/ports/clock.ts';

type Entry<V> = { value: Promise<V>; at: number };

/**
 * Answers that may be remembered for a short while.
 * S1: none is given later than `lifeMs` after it was asked for, nor one from the future: the clock was set back since, and nobody knows its age. S2: at most `capacity` are held; the one asked for longest ago goes first.
 * S3: a question that is being asked is not asked twice; a failure is not remembered.
 */
export class ShortMemory<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #clock: Clock;
  readonly #lifeMs: number;
  readonly #capacity: number;

  constructor(clock: Clock, lifeMs: number, capacity: number) {
    this.#clock = clock;
    this.#lifeMs = lifeMs;
    this.#capacity = capacity;
  }

  get(key: string): Promise<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const ageMs = this.#clock.now() - entry.at;
    return ageMs >= 0 && ageMs < this.#lifeMs ? entry.value : undefined; // S1
  }

  put(key: string, value: Promise<V>): Promise<V> {
    const entry = { value, at: this.#clock.now() };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest); // S2
    value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key); // S3
    });
    return value;
  }

  remember(key: string, ask: () => Promise<V>): Promise<V> {
    return this.get(key) ?? this.put(key, ask());
  }

  clear(): void {
    this.#entries.clear();
  }
}

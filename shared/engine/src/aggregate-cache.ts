import type { Head } from '@retrigger/domain/event.ts';

type Cached = { head: Head; state: unknown };

/**
 * The last states that one owner of one partition has made. C1: it begins empty at every assignment, and an aggregate whose batch failed is dropped,
 * so what is in it has been stored by this owner. Another owner may have gone on since: the event's name finds that out.
 */
export class AggregateCache {
  readonly #entries = new Map<string, Cached>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): Cached | undefined {
    return this.#entries.get(key);
  }

  /** Keeps the newest; the one unused for longest goes first. */
  put(key: string, entry: Cached): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
  }

  drop(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}

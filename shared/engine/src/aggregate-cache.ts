import type { Head } from '@retrigger/domain/event.ts';

/** A state that this owner knows, and where in its stream that is. */
export type Known = { head: Head; state: unknown };

type Cached = Known & { isInDoubt: boolean };

/**
 * The last states that one owner of one partition has made. C1: it begins empty at every assignment, and holds only what has been stored. Another owner may have
 * gone on since: the event's name finds that out.
 * C2: a state is in doubt when its batch failed or another owner was met: its stream is read on from there, not from a later snapshot, so that this owner sees
 * everything that was added.
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

  put(key: string, { head, state }: Known): void {
    this.#keep(key, { head, state, isInDoubt: false });
  }

  /** C2. */
  doubt(key: string, { head, state }: Known): void {
    this.#keep(key, { head, state, isInDoubt: true });
  }

  /** Keeps the newest; the one unused for longest goes first. */
  #keep(key: string, entry: Cached): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
  }
}

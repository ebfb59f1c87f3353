import type { Head } from '@retrigger/domain/event.ts';
import { weightOf } from '@retrigger/domain/json-weight.ts';

/** A state that this owner knows, and where in its stream that is. */
export type Known = { head: Head; state: unknown };

type Cached = Known & { isInDoubt: boolean; bytes: number };

/**
 * The last states that one owner of one partition has made. C1: it begins empty at every assignment, and holds only what has been stored. Another owner may have
 * gone on since: the event's name finds that out.
 * C2: a state is in doubt when its batch failed or another owner was met: its stream is read on from there, not from a later snapshot, so that this owner sees
 * everything that was added.
 * C3: as many are held as the bounds allow, in number and in weight, so that nobody fills the memory of all with large tasks; the one unused for longest goes first,
 * of those that are too heavy one that is in no doubt.
 */
export class AggregateCache {
  readonly #entries = new Map<string, Cached>();
  readonly #capacity: number;
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(capacity: number, mostBytes = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
    this.#mostBytes = mostBytes;
  }

  get(key: string): Cached | undefined {
    return this.#entries.get(key);
  }

  put(key: string, known: Known): void {
    this.#keep(key, known, false);
  }

  /** C2. */
  doubt(key: string, known: Known): void {
    this.#keep(key, known, true);
  }

  /** C3. */
  #keep(key: string, { head, state }: Known, isInDoubt: boolean): void {
    const before = this.#entries.get(key);
    const bytes = before !== undefined && before.state === state ? before.bytes : weightOf(state);
    this.#bytes += bytes - (before?.bytes ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { head, state, isInDoubt, bytes });
    for (const [oldest, { bytes: freed, isInDoubt: isNeeded }] of this.#entries) {
      const isCrowded = this.#entries.size > this.#capacity;
      if (!isCrowded && this.#bytes <= this.#mostBytes) return;
      if (isNeeded && !isCrowded) continue;
      this.#entries.delete(oldest);
      this.#bytes -= freed;
    }
  }
}

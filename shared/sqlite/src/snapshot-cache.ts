import { weightOf } from '@retrigger/domain/json-weight.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';

/**
 * Snapshots as they are in the file: two generations, of which the older is forgotten when the younger is full, so that a hit costs one look and no write.
 * C1: one process owns the file, so what is saved here is all that can change them: an entry is dropped when its key is saved, inside the transaction, and what was
 * saved takes its place with the commit; a transaction that is rolled back has cost a read and nothing else. Entries are shared: nobody changes one.
 * C2: a generation is also full when it is heavy: nobody fills the memory of all with large tasks.
 */
export class SnapshotCache {
  #young = new Map<string, Snapshot>();
  #old = new Map<string, Snapshot>();
  /** Saved in the transaction that is open. */
  #saved: Snapshot[] = [];
  #youngBytes = 0;
  readonly #capacity: number;
  readonly #mostBytes: number;

  /** Holds up to twice `capacity`, and at least the last `capacity` that were asked for, unless those are heavier than `mostBytes`; then up to twice that. */
  constructor(capacity: number, mostBytes: number) {
    this.#capacity = capacity;
    this.#mostBytes = mostBytes;
  }

  get(key: string): Snapshot | undefined {
    const found = this.#young.get(key);
    if (found !== undefined) return found;
    const aged = this.#old.get(key);
    if (aged !== undefined) this.put(aged);
    return aged;
  }

  put(snapshot: Snapshot): void {
    const bytes = weightOf(snapshot.state);
    if (this.#young.size >= this.#capacity || this.#youngBytes + bytes > this.#mostBytes) {
      [this.#old, this.#young] = [this.#young, new Map()];
      this.#youngBytes = 0;
    }
    this.#young.set(snapshot.key, snapshot);
    this.#youngBytes += bytes; // what is replaced or dropped still counts, so that it fills up early and never late
  }

  /** C1: inside a transaction. */
  save(snapshot: Snapshot): void {
    this.#young.delete(snapshot.key);
    this.#old.delete(snapshot.key);
    this.#saved.push(snapshot);
  }

  /** C1. */
  committed(): void {
    for (const snapshot of this.#saved) this.put(snapshot);
    this.#saved = [];
  }

  /** C1. */
  rolledBack(): void {
    this.#saved = [];
  }
}

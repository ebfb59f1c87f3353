/**
 * The records of one partition that were taken and are not finished, in whatever order they finish.
 * F1: the offset that may be committed is the lowest unfinished one; everything below it is finished.
 * F2: it never goes back.
 * F3: a record is taken once: when it is delivered again while it is known here, it is neither started nor finished twice.
 */
export class InFlightWindow {
  /** Offset → whether it is finished, in offset order, from the lowest unfinished one. */
  readonly #records = new Map<number, boolean>();
  #next = 0;

  /** How many records stand between the lowest unfinished and the last taken one. */
  get size(): number {
    return this.#records.size;
  }

  /** Takes a record; false when it was taken before. Offsets come in growing order, except those that are delivered again. */
  take(offset: number): boolean {
    if (offset < this.#next || this.#records.has(offset)) return false; // F3
    if (this.#records.size === 0) this.#next = offset;
    this.#records.set(offset, false);
    return true;
  }

  /** Marks a record as finished. Returns the offset to commit when that has moved, else undefined. */
  finish(offset: number): number | undefined {
    if (this.#records.get(offset) !== false) return undefined;
    this.#records.set(offset, true);
    const before = this.#next;
    for (const [lowest, isFinished] of this.#records) {
      this.#next = lowest; // F1, F2
      if (!isFinished) break;
      this.#records.delete(lowest);
      this.#next = lowest + 1;
    }
    return this.#next > before ? this.#next : undefined;
  }
}

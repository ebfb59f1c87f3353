/** So many at once. Whoever finds no slot may ask to be told; those are told in turn, one for each slot that gets free. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  take(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Calls `free` once, when there may be a slot. The same again is asked once. */
  wait(free: () => void): void {
    this.#waiting.add(free);
  }

  release(): void {
    this.#free++;
    for (const free of this.#waiting) {
      this.#waiting.delete(free);
      free();
      return;
    }
  }
}

/** So many at once. Whoever finds no slot may ask to be told; those are told in turn, as long as there is a free one. */
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
      if (this.#free === 0) return;
      this.#waiting.delete(free);
      free(); // whoever does not need it any more leaves it to the next
    }
  }
}

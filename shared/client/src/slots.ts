/** So many at once, and no more. */
export class Slots {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #tell: (() => void) | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  get left(): number {
    return this.#most - this.#running.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Takes a slot until `work` ends; it does not reject. */
  run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.#running.delete(running);
      this.#tell?.();
    });
    this.#running.add(running);
  }

  /** Resolves when there is a free one, or when the signal aborts. One may wait at a time. */
  async free(signal: AbortSignal): Promise<void> {
    while (this.left <= 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Resolves when all are free. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** So many at once, and no more: what runs, and what is reserved for work that has been asked for. */
export class Slots {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #reserved = 0;
  #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Reserves `most` free ones, or those that there are when nothing else is reserved; waits for that. 0 when the signal aborts first. */
  async reserve(most: number, signal: AbortSignal): Promise<number> {
    while (this.#left < (this.#reserved === 0 ? 1 : most) && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const told = () => resolve();
      this.#waiting.push(told);
      signal.addEventListener('abort', told);
      await promise;
      signal.removeEventListener('abort', told);
    }
    const reserved = signal.aborted ? 0 : Math.min(most, this.#left);
    this.#reserved += reserved;
    return reserved;
  }

  /** Gives reserved ones back, and takes one for each of these until it ends; they are no more, and do not reject. */
  use(reserved: number, works: (() => Promise<void>)[]): void {
    this.#reserved -= reserved;
    for (const work of works) {
      const running = work().finally(() => {
        this.#running.delete(running);
        this.#tell();
      });
      this.#running.add(running);
    }
    this.#tell();
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  get #left(): number {
    return this.#most - this.#running.size - this.#reserved;
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

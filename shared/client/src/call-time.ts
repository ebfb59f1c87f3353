import { setTimeout as pause } from 'node:timers/promises';

/**
 * The time that a call has, in milliseconds: for all of it, and for each of its tries. It ends when that has passed or the caller's signal aborts (H4).
 * One timer and one controller for a try: `AbortSignal.timeout` and `any` took 30 to 50 µs of a call.
 */
export class CallTime {
  readonly #until: number;
  readonly #tryWithinMs: number;
  readonly #signal: AbortSignal | undefined;
  #hasPassed = false;

  constructor(withinMs: number, tryWithinMs: number, signal: AbortSignal | undefined) {
    this.#until = performance.now() + withinMs;
    this.#tryWithinMs = tryWithinMs;
    this.#signal = signal;
  }

  get isUp(): boolean {
    return this.#hasPassed || this.#signal?.aborted === true || this.#leftMs <= 0;
  }

  /** Runs one try; its signal aborts when the time of the try or of the call is up. */
  async during<T>(run: (ending: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const leftMs = this.#leftMs;
    const timer = setTimeout(
      () => {
        this.#hasPassed ||= leftMs <= this.#tryWithinMs;
        end();
      },
      Math.min(leftMs, this.#tryWithinMs),
    );
    this.#signal?.addEventListener('abort', end);
    try {
      return await run(ending.signal);
    } finally {
      clearTimeout(timer);
      this.#signal?.removeEventListener('abort', end);
    }
  }

  /** At most until the time is up. */
  async pause(ms: number): Promise<void> {
    if (this.isUp) return;
    await pause(Math.min(ms, this.#leftMs), undefined, this.#signal === undefined ? {} : { signal: this.#signal }).catch(() => {});
  }

  get #leftMs(): number {
    return this.#until - performance.now();
  }
}

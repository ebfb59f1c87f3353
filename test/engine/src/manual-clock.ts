import type { Clock } from '@retrigger/ports/clock.ts';

/** Time that stands still until somebody moves it. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { at: number; fire: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  timer(at: number, fire: () => void): () => void {
    const timer = { at, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Somebody sets its calendar; its timers wait for as long as they would have. */
  set(now: number): void {
    const by = now - this.#now;
    this.#now = now;
    this.#timers = this.#timers.map((timer) => Object.assign(timer, { at: timer.at + by }));
  }

  /** Fires what falls due on the way, in order; what that sets going may settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settled();
    }
    this.#now = until;
    await settled();
  }
}

/** Everything that waits for nothing but the turn of the event loop has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

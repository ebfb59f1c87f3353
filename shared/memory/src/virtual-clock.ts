import type { Clock } from '@retrigger/ports/clock.ts';

type Timer = { at: number; order: number; fire: () => void };

/** A clock that a test moves by hand. */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  timer(at: number, fire: () => void): () => void {
    const timer = { at, order: this.#order++, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer is due; null when there is none. */
  nextTimer(): number | null {
    return this.#next()?.at ?? null;
  }

  /** Moves on by `ms`, stopping at each timer on the way; what a timer sets off has one turn of the event loop before the next fires. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (let timer = this.#next(); timer !== undefined && timer.at <= until; timer = this.#next()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.fire();
      await new Promise(setImmediate);
    }
    this.#now = Math.max(this.#now, until);
    await new Promise(setImmediate);
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

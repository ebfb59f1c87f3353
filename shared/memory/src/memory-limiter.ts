import type { Charge, ChargedWindow, Limit, Limiter } from '@retrigger/ports/limiter.ts';
import { RateLimiterMemory } from 'rate-limiter-flexible';

type Window = { used: number; resetMs: number };

/**
 * Limits inside one process: the embedded profile's, and tests'. The library counts and ends the windows; a window starts with its first charge.
 * Charges are taken one after the other: each looks at all its limits before it takes from any (M1), so none takes what another is about to (M2).
 */
export class MemoryLimiter implements Limiter {
  /** What a limit allows comes with each charge, so the library's own bound is out of the way. */
  readonly #windows = new RateLimiterMemory({ points: Number.MAX_SAFE_INTEGER, duration: 1, keyPrefix: '' });
  #last: Promise<unknown> = Promise.resolve();

  /** Goes on with windows that another process had open, before anything is charged. `now`: epoch milliseconds. */
  restore(windows: ChargedWindow[], now: number): Promise<void> {
    return this.#alone(async () => {
      for (const { limit, used, endsAt } of windows) await this.#windows.set(keyOf(limit), used, (endsAt - now) / 1000);
    });
  }

  charge(limits: Limit[], cost: number): Promise<Charge> {
    return this.#alone(async () => {
      const active = limits.filter(({ points }) => points > 0);
      for (const limit of active) {
        const { used, resetMs } = await this.#window(limit);
        const { name, points } = limit;
        if (used + cost > points) return { kind: 'limited', name, points, remaining: Math.max(0, points - used), retryAfterMs: resetMs };
      }
      let tightest: Extract<Charge, { kind: 'charged' }>['tightest'] = null;
      for (const limit of active) {
        const { name, points, windowMs } = limit;
        const { consumedPoints, msBeforeNext } = await this.#windows.penalty(keyOf(limit), cost, { customDuration: windowMs / 1000 });
        const remaining = points - consumedPoints;
        if (tightest === null || remaining < tightest.remaining) tightest = { name, points, remaining, resetMs: msBeforeNext };
      }
      return { kind: 'charged', tightest };
    });
  }

  refund(limits: Limit[], cost: number): Promise<void> {
    return this.#alone(async () => {
      for (const limit of limits) {
        const { used } = await this.#window(limit);
        if (used === 0) continue; // its window has ended: nothing to give back
        const { consumedPoints } = await this.#windows.reward(keyOf(limit), Math.min(cost, used));
        if (consumedPoints <= 0) await this.#windows.delete(keyOf(limit)); // M2: never below nothing, also when the window ended just now
      }
    });
  }

  async close(): Promise<void> {
    await this.#last;
  }

  async #window(limit: Limit): Promise<Window> {
    const found = await this.#windows.get(keyOf(limit));
    if (found === null || found.msBeforeNext <= 0) return { used: 0, resetMs: limit.windowMs };
    return { used: found.consumedPoints, resetMs: found.msBeforeNext };
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

const keyOf = ({ name, key }: Limit): string => `${name}\n${key}`;

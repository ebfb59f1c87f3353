import type { Clock } from '@retrigger/ports/clock.ts';
import type { Leases } from '@retrigger/ports/leases.ts';

/** Leases inside one process: the embedded profile's, and tests'. */
export class MemoryLeases implements Leases {
  readonly #held = new Map<string, { holder: string; cancel: () => void }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async take(name: string, holder: string, forMs: number): Promise<string> {
    const held = this.#held.get(name);
    if (held !== undefined && held.holder !== holder) return held.holder; // H1
    held?.cancel();
    const cancel = this.#clock.timer(this.#clock.now() + forMs, () => this.#held.delete(name));
    this.#held.set(name, { holder, cancel });
    return holder;
  }

  async end(name: string, holder: string): Promise<void> {
    const held = this.#held.get(name);
    if (held?.holder !== holder) return; // H2
    held.cancel();
    this.#held.delete(name);
  }

  async close(): Promise<void> {
    for (const { cancel } of this.#held.values()) cancel();
    this.#held.clear();
  }
}

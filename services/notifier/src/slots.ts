/** A tenant may have so many slots for each that is free: three quarters of all when it is alone, and of what others leave when it is not. */
const TAKEN_PER_FREE = 3;

/**
 * So many at once. Whoever finds no slot may ask to be told; those are told in turn, as long as there is a free one.
 * O1: however many slots tenants hold whose subscribers are slow, the next tenant finds one.
 */
export class Slots {
  #free: number;
  readonly #ofTenants = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  take(tenantId: string): boolean {
    const taken = this.#ofTenants.get(tenantId) ?? 0;
    if (taken >= TAKEN_PER_FREE * this.#free) return false; // O1
    this.#free--;
    this.#ofTenants.set(tenantId, taken + 1);
    return true;
  }

  /** Calls `free` once, when there may be a slot. The same again is asked once. */
  wait(free: () => void): void {
    this.#waiting.add(free);
  }

  release(tenantId: string): void {
    this.#free++;
    const left = (this.#ofTenants.get(tenantId) ?? 0) - 1;
    if (left > 0) this.#ofTenants.set(tenantId, left);
    else this.#ofTenants.delete(tenantId);
    for (const free of [...this.#waiting]) {
      if (this.#free === 0) return;
      this.#waiting.delete(free);
      free(); // whoever does not need it any more, or has its share, leaves it to the next
    }
  }
}

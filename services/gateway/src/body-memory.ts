/** What one request holds of the memory for bodies. */
export type Held = {
  /** Whether so many bytes more of a body of this tenant may be kept. */
  take(tenantId: string, bytes: number): boolean;
};

/** A tenant may hold so many bytes for each that is free: seven eighths of all when it is alone, and of what others leave when it is not. */
const HELD_PER_FREE = 7;

/**
 * The bytes of request bodies that this process holds at once, from their arrival until their request is answered.
 * E1: never more than `most`. Only what has arrived counts: a length that is merely declared takes nobody's room.
 * E2: however much tenants hold whose bodies never end, the next tenant finds room.
 */
export class BodyMemory {
  readonly #most: number;
  readonly #ofTenants = new Map<string, number>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#taken;
  }

  /** How near it is to refusing: 1 is there. */
  get load(): number {
    return this.#taken / this.#most;
  }

  /** Serves one request; what its body took is free again when that is done. */
  async during<T>(serve: (held: Held) => Promise<T>): Promise<T> {
    const own: { tenantId: string; bytes: number } = { tenantId: '', bytes: 0 };
    const take = (tenantId: string, bytes: number): boolean => {
      const free = this.#most - this.#taken - bytes;
      if (free < 0) return false; // E1
      if ((this.#ofTenants.get(tenantId) ?? 0) + bytes > HELD_PER_FREE * free) return false; // E2
      this.#add(tenantId, bytes);
      Object.assign(own, { tenantId, bytes: own.bytes + bytes });
      return true;
    };
    try {
      return await serve({ take });
    } finally {
      this.#add(own.tenantId, -own.bytes);
    }
  }

  #add(tenantId: string, bytes: number): void {
    const held = (this.#ofTenants.get(tenantId) ?? 0) + bytes;
    if (held === 0) this.#ofTenants.delete(tenantId);
    else this.#ofTenants.set(tenantId, held);
    this.#taken += bytes;
  }
}

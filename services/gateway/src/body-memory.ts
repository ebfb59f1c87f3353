/** What one request holds of the memory for bodies. */
export type Held = {
  /** Whether so many bytes more may be kept. */
  take(bytes: number): boolean;
};

/**
 * The bytes of request bodies that this process holds at once, from their arrival until their request is answered.
 * E1: never more than `most`. Only what has arrived counts: a length that is merely declared takes nobody's room.
 */
export class BodyMemory {
  readonly #most: number;
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
    let own = 0;
    const take = (bytes: number): boolean => {
      if (this.#taken + bytes > this.#most) return false; // E1
      this.#taken += bytes;
      own += bytes;
      return true;
    };
    try {
      return await serve({ take });
    } finally {
      this.#taken -= own;
    }
  }
}

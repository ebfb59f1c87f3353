/** What one request holds of the bodies' memory. */
export type Held = {
  /** Whether so many bytes more may be kept. */
  take(bytes: number): boolean;
  /** Gives everything back; once the request is answered. */
  release(): void;
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

  hold(): Held {
    let own = 0;
    return {
      take: (bytes) => {
        if (this.#taken + bytes > this.#most) return false; // E1
        this.#taken += bytes;
        own += bytes;
        return true;
      },
      release: () => {
        this.#taken -= own;
        own = 0;
      },
    };
  }
}

import { seeded } from '@retrigger/test-scaling/seeded.ts';

/** Chance that is the same for the same seed. */
export class Random {
  /** From 0 to below 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = seeded(seed);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.between(0, from.length - 1)];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  }

  /** A chance of its own, so that who draws more or less often changes nothing for others. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}

import { RECEIPT_LIFE_MS, type Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Known } from './reply.ts';

/** The outcomes that bind the commands of a batch: those of receipts, and those that were decided in it. Like among receipts the first under a name stays (R1). */
export class KnownOutcomes {
  readonly #known = new Map<string, Known>();
  /** Wishes that something was claimed under in this batch that is not stored yet. */
  readonly #unstored = new Set<string>();

  load(receipts: Map<string, Receipt>): void {
    for (const [name, { outcome, fingerprint, position }] of receipts)
      this.#known.set(name, { outcome, fingerprint, offset: position.offset, at: position.at });
  }

  /** What binds a command that came into the log at `at` (epoch ms). */
  at(name: string, at: number): Known | undefined {
    const known = this.#known.get(name);
    return known !== undefined && at - known.at < RECEIPT_LIFE_MS ? known : undefined;
  }

  /** Returns the names that it is the first outcome of. */
  learn(names: Iterable<string>, known: Known): string[] {
    const learnt = [...names].filter((name) => this.at(name, known.at) === undefined);
    for (const name of learnt) this.#known.set(name, known);
    return learnt;
  }

  forget(names: string[]): void {
    for (const name of names) {
      this.#known.delete(name);
      this.#unstored.delete(name);
    }
  }

  claimed(wish: string): void {
    this.#unstored.add(wish);
  }

  /** Whether what was claimed under it may still turn out otherwise. */
  isOpen(wish: string): boolean {
    return this.#unstored.has(wish);
  }

  /** All that was decided is stored. */
  settle(): void {
    this.#unstored.clear();
  }
}

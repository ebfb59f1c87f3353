import type { Clock } from '@retrigger/ports/clock.ts';
import { RECEIPT_LIFE_MS, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

const MARK_EVERY_MS = 1_000;
const SWEEP_EVERY_MS = 600_000;

/**
 * How far the owned partitions are: everything up to a mark (log time) is decided, stored and committed.
 * H1: a mark is saved only after the offset has moved past it, so it may lag but never lead.
 * H2: receipts are swept by the log's clock: only what is 24 h older than the partition's own mark.
 */
export class Housekeeping {
  readonly #done = new Map<number, number>();
  readonly #saved = new Map<number, number>();
  #sweptAt: number;
  readonly #stores: { snapshots: SnapshotStore; receipts: ReceiptStore };
  readonly #clock: Clock;

  constructor(stores: { snapshots: SnapshotStore; receipts: ReceiptStore }, clock: Clock) {
    this.#stores = stores;
    this.#clock = clock;
    this.#sweptAt = clock.now();
  }

  /** Called when the offset of a partition has moved past a record of this log time. */
  passed(partition: number, at: number): void {
    this.#done.set(partition, at);
  }

  lost(partitions: number[]): void {
    for (const partition of partitions) for (const marks of [this.#done, this.#saved]) marks.delete(partition);
  }

  /** One turn: saves the marks that have moved and, now and then, sweeps. Returns when the next turn is due. */
  async turn(): Promise<number> {
    for (const [partition, at] of this.#done) {
      if (this.#saved.get(partition) === at) continue;
      await this.#stores.snapshots.saveMark(partition, at);
      this.#saved.set(partition, at);
    }
    const now = this.#clock.now();
    if (now - this.#sweptAt >= SWEEP_EVERY_MS) {
      this.#sweptAt = now;
      for (const [partition, at] of this.#saved) await this.#stores.receipts.sweep(partition, at - RECEIPT_LIFE_MS);
    }
    return now + MARK_EVERY_MS;
  }
}

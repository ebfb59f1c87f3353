import type { Clock } from '@retrigger/ports/clock.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

export type ReceiptPorts = { receipts: Pick<ReceiptStore, 'load'>; snapshots: Pick<SnapshotStore, 'load'>; clock: Clock };

/**
 * The receipts that doors go by: those that are not a day old.
 * V1: an outcome is told only when every reader sees what it is about. Receipts are stored before snapshots (a twin must not be decided anew), so of one that is
 * found by looking the snapshot is looked at too; an answer comes after both.
 */
export class KnownReceipts {
  readonly #ports: ReceiptPorts;

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
  }

  /** By name; whether or not everybody sees yet what they are about. */
  async load(names: string[]): Promise<Map<string, Receipt>> {
    const { receipts, clock } = this.#ports;
    const found = await receipts.load(names);
    const now = clock.now();
    return new Map([...found].filter(([, { position }]) => now - position.at < RECEIPT_LIFE_MS));
  }

  /** V1, of one. */
  async isSeen({ key, sequence }: Receipt): Promise<boolean> {
    return sequence === null || ((await this.#ports.snapshots.load([key])).get(key)?.head.sequence ?? 0) >= sequence;
  }

  /** V1. */
  async visible(names: string[]): Promise<Map<string, Receipt>> {
    const found = await this.load(names);
    const keys = [...found.values()].flatMap(({ key, sequence }) => (sequence === null ? [] : [key]));
    if (keys.length === 0) return found;
    const snapshots = await this.#ports.snapshots.load([...new Set(keys)]);
    return new Map([...found].filter(([, { key, sequence }]) => (snapshots.get(key)?.head.sequence ?? 0) >= (sequence ?? 0)));
  }
}

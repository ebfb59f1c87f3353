import type { Reached } from '@retrigger/ports/reached.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';

/** Receipts in memory, for tests. What is read is a copy. */
export class MemoryReceiptStore implements ReceiptStore {
  readonly #receipts = new Map<string, Receipt>();
  readonly #reached: Reached;

  constructor(reached: Reached) {
    this.#reached = reached;
  }

  async put(receipts: Receipt[]): Promise<void> {
    for (const [index, receipt] of receipts.entries()) {
      const stored = this.#receipts.get(receipt.commandId);
      if (stored === undefined || receipt.position.at >= stored.position.at + RECEIPT_LIFE_MS) {
        this.#receipts.set(receipt.commandId, structuredClone(receipt)); // R1
      }
      if (index === 0 && receipts.length > 1) this.#reached('within-receipts');
    }
  }

  async load(commandIds: string[]): Promise<Map<string, Receipt>> {
    const found = new Map<string, Receipt>();
    for (const commandId of commandIds) {
      const receipt = this.#receipts.get(commandId);
      if (receipt !== undefined) found.set(commandId, structuredClone(receipt));
    }
    return found;
  }

  async sweep(partition: number, before: number): Promise<number> {
    let swept = 0;
    for (const [commandId, { position }] of this.#receipts) {
      if (position.partition === partition && position.at < before && this.#receipts.delete(commandId)) swept++;
    }
    return swept;
  }
}

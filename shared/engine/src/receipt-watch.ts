import type { Clock } from '@retrigger/ports/clock.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';

const LOOK_EVERY_MS = 100;
/** More wait only when much is late already; then each is looked for a little less often. */
const MOST_AT_ONCE = 250;

/**
 * Looks for the receipts of commands whose answer has not come: it may be lost on its way, or nobody may be able to tell it.
 * H1: one look at a time, of those that were looked for longest ago, however many wait. H2: without anybody waiting there is no timer.
 */
export class ReceiptWatch {
  readonly #clock: Clock;
  readonly #load: (commandIds: string[]) => Promise<Receipt[]>;
  readonly #found = new Map<string, (receipt: Receipt) => void>();
  #cancel: (() => void) | undefined;
  #isLooking = false;

  constructor(clock: Clock, load: (commandIds: string[]) => Promise<Receipt[]>) {
    this.#clock = clock;
    this.#load = load;
  }

  /** Calls `found` once with the command's receipt, unless the returned function was called before. One watch per command. */
  watch(commandId: string, found: (receipt: Receipt) => void): () => void {
    this.#found.set(commandId, found);
    this.#arm();
    return () => {
      if (this.#found.get(commandId) === found) this.#found.delete(commandId);
      if (this.#found.size === 0) this.#disarm(); // H2
    };
  }

  #arm(): void {
    if (this.#isLooking || this.#cancel !== undefined || this.#found.size === 0) return;
    this.#cancel = this.#clock.timer(this.#clock.now() + LOOK_EVERY_MS, () => void this.#look());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A store that does not answer is asked again later: an answer may still come. */
  async #look(): Promise<void> {
    this.#cancel = undefined;
    this.#isLooking = true;
    const asked = [...this.#found.keys()].slice(0, MOST_AT_ONCE);
    const receipts = new Map((await this.#load(asked).catch(() => [])).map((receipt) => [receipt.commandId, receipt]));
    for (const commandId of asked) {
      const found = this.#found.get(commandId);
      if (found === undefined) continue;
      this.#found.delete(commandId);
      const receipt = receipts.get(commandId);
      if (receipt === undefined)
        this.#found.set(commandId, found); // H1: behind the others
      else found(receipt);
    }
    this.#isLooking = false;
    this.#arm();
  }
}

import type { Clock } from '@retrigger/ports/clock.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';

const LOOK_EVERY_MS = 100;
/** More wait only when much is late already; then each is looked for a little less often. */
const MOST_AT_ONCE = 250;

type Watched = { found(receipt: Receipt): void; since: number };

/**
 * Looks for the receipts of commands whose answer has not come: it may be lost on its way, or nobody may be able to tell it.
 * H1: one look at a time, of those that were looked for longest ago, however many wait. H2: without anybody waiting there is no timer.
 * H3: a command is looked for when it has waited for 100 ms: most are answered before, and a look for all that are under way would only make them slower.
 */
export class ReceiptWatch {
  readonly #clock: Clock;
  readonly #load: (commandIds: string[]) => Promise<Receipt[]>;
  /** Those that were looked for longest ago, or came then, first. */
  readonly #watched = new Map<string, Watched>();
  #cancel: (() => void) | undefined;
  #isLooking = false;

  constructor(clock: Clock, load: (commandIds: string[]) => Promise<Receipt[]>) {
    this.#clock = clock;
    this.#load = load;
  }

  /** Calls `found` once with the command's receipt, unless the returned function was called before. One watch per command. */
  watch(commandId: string, found: (receipt: Receipt) => void): () => void {
    const watched = { found, since: this.#clock.now() };
    this.#watched.delete(commandId);
    this.#watched.set(commandId, watched);
    this.#arm();
    return () => {
      if (this.#watched.get(commandId)?.found === found) this.#watched.delete(commandId);
      if (this.#watched.size === 0) this.#disarm(); // H2
    };
  }

  #arm(): void {
    if (this.#isLooking || this.#cancel !== undefined || this.#watched.size === 0) return;
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
    const asked = this.#longWatched();
    const found = asked.length === 0 ? [] : await this.#load(asked).catch(() => []);
    const receipts = new Map(found.map((receipt) => [receipt.commandId, receipt]));
    for (const commandId of asked) {
      const watched = this.#watched.get(commandId);
      if (watched === undefined) continue;
      this.#watched.delete(commandId);
      const receipt = receipts.get(commandId);
      if (receipt === undefined)
        this.#watched.set(commandId, { ...watched, since: this.#clock.now() }); // H1: behind the others
      else watched.found(receipt);
    }
    this.#isLooking = false;
    this.#arm();
  }

  /** H1, H3. A clock that was set back since tells nothing: then it is looked for. */
  #longWatched(): string[] {
    const now = this.#clock.now();
    const long: string[] = [];
    for (const [commandId, { since }] of this.#watched) {
      const waitedMs = now - since;
      if (waitedMs >= 0 && waitedMs < LOOK_EVERY_MS) continue;
      if (long.push(commandId) === MOST_AT_ONCE) break;
    }
    return long;
  }
}

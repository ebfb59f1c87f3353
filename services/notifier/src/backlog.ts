import { deliveryOf, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { Observer } from '@retrigger/ports/observer.ts';

export type BacklogPorts = {
  documents: Pick<DocumentStore, 'list'>;
  clock: Clock;
  observer: Observer /** Lets what was entered go on. */;
  pump(): void;
};

export type BacklogBounds = { /** In memory. */ loaded: number /** In all. */; stored: number };

export const BACKLOG_BOUNDS: BacklogBounds = { loaded: 500, stored: 10_000 };

const PAGE = 100;
const TROUBLE_MS = 1_000;

/**
 * What one partition's events led to for one subscription. All of it is stored; the oldest are in memory.
 * B1: never more than a bound are in memory; what comes then is read from the store when there is room. B2: in the order of their ids, the order of their records.
 * B3: only what has arrived is read: of what is being stored nobody would know, when it arrives, whether it was read and is over.
 */
export class Backlog {
  readonly #ports: BacklogPorts;
  readonly #of: { kind: string; tenantId: string; subscriptionId: string };
  readonly #enter: (delivery: StoredDelivery, over: () => void) => void;
  readonly #bounds: BacklogBounds;
  readonly #closing = new AbortController();
  #stored = 0;
  readonly #loaded = new Set<string>();
  /** The id of the last one that was in memory. */
  #last = '';
  /** The highest id that has arrived. */
  #newest = '';
  /** There are more in the store. */
  #hasMore = false;
  #hasNews = false;
  #isLoading = false;

  constructor(
    ports: BacklogPorts,
    of: { kind: string; tenantId: string; subscriptionId: string },
    enter: (delivery: StoredDelivery, over: () => void) => void,
    bounds: BacklogBounds,
  ) {
    this.#ports = ports;
    this.#of = of;
    this.#enter = enter;
    this.#bounds = bounds;
  }

  /** How many more may be stored. */
  get room(): number {
    return this.#bounds.stored - this.#stored;
  }

  /** A delivery whose document is stored. */
  arrived(delivery: StoredDelivery): void {
    if (this.#closing.signal.aborted) return; // its next owner finds it
    this.#stored++;
    this.#note(delivery);
    if (this.#loaded.size >= this.#bounds.loaded) this.#hasMore = true; // B1
    const isInTurn = delivery.id > this.#last;
    if (isInTurn ? this.#hasMore : this.#loaded.has(delivery.id)) return; // B2: what is behind is read in its turn, and may have been
    this.#load(delivery);
  }

  /** The same of one that may be in memory, or be read in its turn (B1). */
  found(delivery: StoredDelivery): void {
    this.#note(delivery);
    if (!this.#loaded.has(delivery.id) && !(this.#hasMore && delivery.id > this.#last)) this.arrived(delivery);
  }

  /** B3. */
  #note({ id }: StoredDelivery): void {
    this.#hasNews = true;
    if (id > this.#newest) this.#newest = id;
  }

  /** Its partition is somebody else's. */
  close(): void {
    this.#closing.abort();
  }

  #load(delivery: StoredDelivery): void {
    this.#loaded.add(delivery.id);
    if (delivery.id > this.#last) this.#last = delivery.id;
    this.#enter(delivery, () => {
      this.#loaded.delete(delivery.id);
      this.#stored--;
      if (this.#hasMore && !this.#isLoading && this.#hasRoom) void this.#loadMore();
    });
  }

  get #hasRoom(): boolean {
    return this.#loaded.size <= this.#bounds.loaded / 2;
  }

  async #loadMore(): Promise<void> {
    const { documents, clock, observer } = this.#ports;
    const { kind, tenantId, subscriptionId } = this.#of;
    this.#isLoading = true;
    while (this.#hasMore && this.#hasRoom && !this.#closing.signal.aborted) {
      try {
        this.#hasNews = false;
        const page = await documents.list(kind, tenantId, this.#last || subscriptionId, PAGE);
        if (this.#closing.signal.aborted) break;
        const own = page.filter(({ id }) => id.startsWith(`${subscriptionId}.`) && id <= this.#newest); // B3
        for (const document of own) this.#load(deliveryOf(document));
        this.#ports.pump();
        if (own.length < PAGE && !this.#hasNews) this.#hasMore = false;
      } catch (error) {
        observer.log('warn', 'deliveries could not be read; it is tried again', { error: String(error) });
        await pauseUntil(clock.now() + TROUBLE_MS, clock, this.#closing.signal);
      }
    }
    this.#isLoading = false;
  }
}

import { taskKey } from '@retrigger/domain/identifiers.ts';
import { ASKED_DELIVERIES, deliveryOf, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentPlace, DocumentStore } from '@retrigger/ports/document-store.ts';
import { type Log, TOPICS } from '@retrigger/ports/log.ts';
import type { OwnedPartition } from './owned-partition.ts';

export type AskedPorts = {
  documents: Pick<DocumentStore, 'listAll'>;
  log: Pick<Log, 'partitionOf'>;
  clock: Clock;
  owned(partition: number): OwnedPartition | undefined;
};

const LOOK_EVERY_MS = 500;
const PAGE = 200;
const MOST_TAKEN = 10_000;
/** So many of a tenant are looked at at once; the others wait until these are over. */
const MOST_OF_TENANT = 400;
/** Behind every id. */
const LAST_ID = '\u{10ffff}';

/**
 * Looks for what people asked for. The document that they wrote is the delivery; each has one owner, like an event's, by the partition of its task (a test's: of its
 * subscription).
 * A1: of each tenant the first ones are looked at, so that somebody's thousands of tests keep nobody else's waiting.
 */
export class AskedDeliveries {
  readonly #ports: AskedPorts;
  /** Those that are in a lane, with the partition's assignment that they are in; `null`: over since the last look began, so that look may still see them. */
  readonly #taken = new Map<string, OwnedPartition | null>();

  constructor(ports: AskedPorts) {
    this.#ports = ports;
  }

  /** One look. Returns when the next is due. */
  async turn(): Promise<number> {
    const { documents, clock, owned } = this.#ports;
    for (const [id, by] of this.#taken) if (by === null || owned(by.partition) !== by) this.#taken.delete(id);
    const seen = new Map<string, number>();
    for (let after: DocumentPlace | null = null; this.#taken.size < MOST_TAKEN; ) {
      const page = await documents.listAll(ASKED_DELIVERIES, after, PAGE);
      for (const document of page) {
        this.#take(deliveryOf(document));
        seen.set(document.tenantId, (seen.get(document.tenantId) ?? 0) + 1);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = (seen.get(last.tenantId) ?? 0) < MOST_OF_TENANT ? last : { tenantId: last.tenantId, id: LAST_ID }; // A1
    }
    return clock.now() + LOOK_EVERY_MS;
  }

  #take(delivery: StoredDelivery): void {
    const { log, owned } = this.#ports;
    const { id, event, tenantId, subscriptionId } = delivery;
    const by = owned(log.partitionOf(TOPICS.events, event?.key ?? taskKey(tenantId, subscriptionId)));
    if (by === undefined || this.#taken.has(id)) return;
    this.#taken.set(id, by);
    by.enter(delivery, () => {
      if (this.#taken.get(id) === by) this.#taken.set(id, null);
    });
    by.pump();
  }
}

import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { wants } from '@retrigger/domain/subscription.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { deliveriesFrom, deliveryDocument, deliveryId, deliveryOf, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import type { VersionedSubscription } from '@retrigger/engine/subscriptions.ts';
import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Document, DocumentPlace, DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { type CommitOffset, type Log, type LogRecord, type NewRecord, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { OwnedPartition, type OwnedPorts } from './owned-partition.ts';
import type { SubscriptionBook } from './subscription-book.ts';
import { undelivered } from './undelivered.ts';

export type NotifyPorts = OwnedPorts & {
  log: Pick<Log, 'append'>;
  documents: DocumentStore;
  snapshots: Pick<SnapshotStore, 'load'>;
  events: Pick<EventStore, 'read'>;
  eventCodec: EventCodec;
  book: SubscriptionBook;
  clock: Clock;
  observer: Observer;
};

/** A record that somebody may want to hear of. */
type Wanted = { record: LogRecord; eventType: string; sequence: number; by: VersionedSubscription[] };

const WRITES_AT_ONCE = 500;
const PAGE = 500;
const TROUBLE_MS = 1_000;

/**
 * Turns the events of a partition into deliveries.
 * W1: the offset passes a record only when each delivery that it leads to is stored, or is in the dead letters. From then on the stored delivery is what remembers
 * it, however often this process dies: a subscriber that hangs holds up no partition.
 * W4: the owner of a partition delivers what its events led to, also what earlier owners left.
 * W9: a record that comes again writes the same document, or its event is known to be not newer than the last one of its task, also of these very records.
 */
export class Notify implements RecordHandler {
  readonly #ports: NotifyPorts;
  readonly #owned = new Map<number, OwnedPartition>();

  constructor(ports: NotifyPorts) {
    this.#ports = ports;
  }

  owned = (partition: number): OwnedPartition | undefined => this.#owned.get(partition);

  async assigned(partitions: number[]): Promise<void> {
    await this.revoked(partitions);
    await Promise.all(
      partitions.map((partition) => {
        const owned = new OwnedPartition(partition, this.#ports);
        this.#owned.set(partition, owned);
        return this.#loadStored(owned); // W4
      }),
    );
  }

  async revoked(partitions: number[]): Promise<void> {
    for (const partition of partitions) {
      this.#owned.get(partition)?.close();
      this.#owned.delete(partition);
    }
  }

  async batch(partition: number, records: LogRecord[], commit: CommitOffset): Promise<void> {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    const { wanted, dead } = await this.#wanted(records, owned);
    const deliveries = await this.#deliveries(wanted);
    const fitting: StoredDelivery[] = [];
    const room = new Map<string, number>();
    for (const { delivery, record } of deliveries) {
      const left = room.get(delivery.subscriptionId) ?? owned.roomFor(delivery);
      if (left > 0) fitting.push(delivery);
      else dead.push(await this.#overflowed(delivery, record));
      room.set(delivery.subscriptionId, left - 1);
    }
    if (dead.length > 0) await this.#ports.log.append(TOPICS.deadLetters, dead);
    await this.#store(fitting, owned);
    for (const { record, sequence } of wanted) owned.seen.set(record.key, sequence);
    const last = records.at(-1);
    if (last !== undefined) void commit(last.offset + 1); // W1; the next records do not wait for it
    owned.pump();
  }

  /** A store that does not answer is asked again: a new record must not overtake what an earlier one led to. */
  async #loadStored(owned: OwnedPartition): Promise<void> {
    const { documents, clock, observer } = this.#ports;
    for (let after: DocumentPlace | null = null; !owned.closing.aborted; ) {
      const page: Document[] | undefined = await documents.listAll(deliveriesFrom(owned.partition), after, PAGE).catch((error: unknown) => {
        observer.log('warn', 'deliveries could not be read; it is tried again', { partition: owned.partition, error: String(error) });
        return undefined;
      });
      if (page === undefined) {
        await pauseUntil(clock.now() + TROUBLE_MS, clock, owned.closing);
        continue;
      }
      for (const document of page) owned.arrived(deliveryOf(document));
      const last: DocumentPlace | undefined = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last;
    }
    owned.pump();
  }

  /** The records that a subscription asks for, decoded; of a tenant without subscriptions nothing is read. */
  async #wanted(records: LogRecord[], owned: OwnedPartition): Promise<{ wanted: Wanted[]; dead: NewRecord[] }> {
    const { book, eventCodec, observer } = this.#ports;
    const subscriptions = await book.load(records.map(({ key }) => tenantOf(key)));
    const wanted: Wanted[] = [];
    const dead: NewRecord[] = [];
    const seen = new Map<string, number>(); // in these records
    for (const record of records) {
      const of = subscriptions.get(tenantOf(record.key)) ?? [];
      const told = record.headers.eventType;
      const taskId = record.key.slice(record.key.indexOf('/') + 1);
      if (!of.some((one) => (told === undefined ? true : wants(one, told, taskId)))) continue;
      const read = await eventCodec.decode(record.value);
      const isOwn = read.kind === 'event' && taskKey(read.event.tenantId, read.event.taskId) === record.key;
      if (!isOwn) {
        const reason = read.kind === 'undecodable' ? read.reason : "the event is not of the task in the record's key";
        dead.push(deadLetter(record, reason));
        observer.count('dead_letters_total', { source: record.topic });
        observer.log('warn', 'an event can not be read; it goes to the dead letters', { reason, offset: record.offset });
        continue;
      }
      const { eventType, sequence } = read.event;
      if (sequence <= Math.max(owned.seen.get(record.key) ?? 0, seen.get(record.key) ?? 0)) continue; // W9
      seen.set(record.key, sequence);
      wanted.push({ record, eventType, sequence, by: of.filter((one) => wants(one, eventType, taskId)) });
    }
    return { wanted, dead };
  }

  async #deliveries(wanted: Wanted[]): Promise<{ delivery: StoredDelivery; record: LogRecord }[]> {
    const isCritical = await this.#criticality(wanted);
    const storedAt = this.#ports.clock.now();
    return wanted.flatMap(({ record, sequence, by }) =>
      by
        .filter(({ criticalOnly }) => !criticalOnly || isCritical(record.key))
        .map(({ tenantId, id }) => {
          const { partition, offset, at, key } = record;
          const delivery = {
            ...{ tenantId, subscriptionId: id, id: deliveryId(id, offset), line: key, source: { partition, offset, at } },
            ...{ event: { key, sequence }, attempts: 0, dueAt: storedAt, storedAt },
            ...{ kind: deliveriesFrom(partition), version: 1 },
          };
          return { delivery, record };
        }),
    );
  }

  /** Whether a task is critical now. One whose snapshot is not there counts as critical: an alert too many is better than none. */
  async #criticality(wanted: Wanted[]): Promise<(key: string) => boolean> {
    const keys = wanted.flatMap(({ record, by }) => (by.some(({ criticalOnly }) => criticalOnly) ? [record.key] : []));
    const snapshots = keys.length === 0 ? new Map() : await this.#ports.snapshots.load([...new Set(keys)]);
    return (key) => (snapshots.get(key)?.state as TaskState | undefined)?.critical ?? true;
  }

  /**
   * Stores them, then has them enter their lanes: none of records that could be stored only in part, so that no event overtakes one of its task.
   * W6: in the order of their records (D3): whoever finds a part of them, since we died or lost the partition on the way, finds no event without those before it.
   * W5: one that is stored already is in its lane, unless an earlier try of these records failed half-way, or the owner before us, which did not know that it was
   * no more, has stored it after we had looked.
   */
  async #store(deliveries: StoredDelivery[], owned: OwnedPartition): Promise<void> {
    const told: ('written' | 'conflict')[] = [];
    for (let from = 0; from < deliveries.length; from += WRITES_AT_ONCE) {
      told.push(...(await this.#ports.documents.make(deliveries.slice(from, from + WRITES_AT_ONCE).map(deliveryDocument))));
    }
    for (const [i, delivery] of deliveries.entries()) {
      if (told[i] === 'written') owned.arrived(delivery);
      else owned.found(delivery); // W5
    }
  }

  /** As it is stored, like every dead letter of an event that could be read. */
  async #overflowed(delivery: StoredDelivery, { value, topic }: LogRecord): Promise<NewRecord> {
    const { observer, events, eventCodec } = this.#ports;
    const { key, sequence } = delivery.event ?? { key: '', sequence: 0 };
    const [stored] = await events.read(key, { from: sequence, to: sequence, limit: 1, order: 'asc' });
    observer.count('dead_letters_total', { source: topic });
    observer.count('notifications_total', { channel: 'none', outcome: 'given_up' });
    observer.log('error', 'too many notifications wait for a subscription; one goes to the dead letters', {
      subscription: delivery.subscriptionId,
    });
    const bytes = stored === undefined ? value : eventCodec.encode(stored);
    return undelivered(delivery, bytes, 'too many others wait to be delivered to this subscription');
  }
}

const tenantOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')));

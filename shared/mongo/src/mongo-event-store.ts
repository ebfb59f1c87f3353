import type { Event, Position, StoredEvent } from '@retrigger/domain/event.ts';
import { isBulkKey } from '@retrigger/domain/identifiers.ts';
import type { RemovableEvents } from '@retrigger/ports/event-archive.ts';
import type {
  AppendOutcome,
  EventCursor,
  EventFilter,
  EventRange,
  EventStore,
  StoredText,
  TenantCursor,
  TenantFilter,
} from '@retrigger/ports/event-store.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import type { Collection, Filter } from 'mongodb';
import type { MongoConnection } from './mongo-client.ts';
import { duplicatesIn } from './mongo-errors.ts';
import { countOfTenant, namesOnPage } from './mongo-tenant-events.ts';
import { inRounds, partsOf } from './write-parts.ts';

/** `json` is the event, byte for byte as hashed; the fields beside it are what filters look at. */
export type EventDocument = {
  _id: string;
  key: string;
  /** null = of a bulk (E5). */
  tenantId: string | null;
  eventId: string;
  type: string;
  timestamp: Date;
  actorId: string;
  position: Position;
  json: string;
};

/** Below so many keys a round is not worth a message of its own. */
const NARROW = 8;
const LAST_SEQUENCE = 9_999_999_999;
const REMOVED_AT_ONCE = 500;
/** Of a page that is bounded in characters: so many are read before it is looked how long they are. */
const NAMES_AT_ONCE = 250;

/** E1 by `_id`, which no two documents share; E2 by rounds; E3 by the connection's write concern. */
export class MongoEventStore implements EventStore, RemovableEvents {
  readonly #mongo: MongoConnection;
  readonly #events: Collection<EventDocument>;
  readonly #reached: Reached;

  constructor(mongo: MongoConnection, reached: Reached = unobserved) {
    this.#mongo = mongo;
    this.#events = mongo.db.collection('events');
    this.#reached = reached;
  }

  /** After a broken connection, names taken by our own first attempt are told as a conflict too: the caller loads again and finds its events there. */
  async append(events: StoredEvent[]): Promise<AppendOutcome> {
    const taken = new Set<string>();
    for (const { documents, ordered } of stepsOf(events.map(documentOf))) {
      let left = documents.filter(({ key }) => !taken.has(key)); // E2
      while (left.length > 0) {
        const refused = await this.#insert(left, ordered);
        for (const key of refused.keys) taken.add(key);
        left = left.slice(refused.next).filter(({ key }) => !taken.has(key));
      }
    }
    return taken.size === 0 ? { kind: 'stored' } : { kind: 'conflict', keys: taken };
  }

  /** The keys whose name was taken, and behind which document to go on: an ordered insert stops at the first. */
  async #insert(documents: EventDocument[], ordered: boolean): Promise<{ keys: string[]; next: number }> {
    const keys: string[] = [];
    let next = 0;
    for (const part of partsOf(documents, this.#reached)) {
      if (next > 0) this.#reached('within-events');
      const duplicates = await this.#mongo.retry(() => this.#events.insertMany(part, { ordered }).then(() => [], duplicatesIn));
      keys.push(...duplicates.flatMap((index) => part[index]?.key ?? []));
      const stoppedAt = ordered ? duplicates[0] : undefined;
      if (stoppedAt !== undefined) return { keys, next: next + stoppedAt + 1 };
      next += part.length;
    }
    return { keys, next };
  }

  async read(key: string, { from, to, limit, order }: EventRange): Promise<StoredEvent[]> {
    return this.#find(namesOf(key, from, to), limit, order);
  }

  async page(key: string, filter: EventFilter, { after, limit, order, characters }: EventCursor): Promise<StoredEvent[]> {
    const from = order === 'asc' && after !== null ? after + 1 : 1;
    const to = order === 'desc' && after !== null ? after - 1 : LAST_SEQUENCE;
    return this.#find({ ...namesOf(key, from, to), ...matching(filter) }, limit, order, characters);
  }

  async count(key: string, filter: EventFilter, after = 0, upTo = LAST_SEQUENCE): Promise<number> {
    const query = { ...namesOf(key, after + 1, upTo), ...matching(filter) };
    return this.#mongo.retry(() => this.#events.countDocuments(query));
  }

  async pageOfTenant(filter: TenantFilter, cursor: TenantCursor): Promise<StoredEvent[]> {
    const names = await namesOnPage(this.#mongo, this.#events, filter, cursor);
    const found: StoredEvent[] = [];
    const atOnce = cursor.characters === undefined ? names.length : NAMES_AT_ONCE;
    for (let from = 0, read = 0; from < names.length && read < (cursor.characters ?? Number.POSITIVE_INFINITY); from += atOnce) {
      for (const stored of await this.#named(names.slice(from, from + atOnce))) {
        if (read >= (cursor.characters ?? Number.POSITIVE_INFINITY)) break; // E6
        found.push(stored);
        read += stored.json.length;
      }
    }
    return found;
  }

  async #named(names: string[]): Promise<StoredEvent[]> {
    const found = await this.#mongo.retry(() =>
      this.#events.find({ _id: { $in: names } }, { projection: SHOWN, batchSize: names.length + 1 }).toArray(),
    );
    const byName = new Map(found.map((document) => [document._id, document]));
    return names.flatMap((name) => byName.get(name) ?? []).map(toStored);
  }

  countOfTenant(filter: TenantFilter): Promise<number> {
    return countOfTenant(this.#mongo, this.#events, filter);
  }

  async texts(key: string, after: number, limit: number): Promise<StoredText[]> {
    if (limit === 0) return [];
    const options = { projection: { json: 1 }, sort: { _id: 1 }, limit, batchSize: limit } as const;
    const found = await this.#mongo.retry(() => this.#events.find(namesOf(key, after + 1, LAST_SEQUENCE), options).toArray());
    return found.map(({ _id, json }) => ({ sequence: Number(_id.slice(_id.lastIndexOf('/') + 1)), json }));
  }

  /** V1: one after the other, from the first on. */
  async removeFirst(key: string, upTo: number): Promise<number> {
    for (let total = 0; ; ) {
      const first = await this.#find(namesOf(key, 1, upTo), REMOVED_AT_ONCE, 'asc');
      if (first.length === 0) return total;
      for (const { event } of first)
        total += await this.#mongo.retry(() =>
          this.#events.deleteOne({ _id: idOf(key, event.sequence) }).then((done) => done.deletedCount),
        );
    }
  }

  /** E6: a message of the server holds 16 MiB at most, so little is read for nothing. */
  async #find(
    query: Filter<EventDocument>,
    limit: number,
    order: 'asc' | 'desc',
    characters = Number.POSITIVE_INFINITY,
  ): Promise<StoredEvent[]> {
    if (limit === 0) return []; // which means no limit to MongoDB
    return this.#mongo.retry(async () => {
      const found: StoredEvent[] = [];
      const sort = { _id: order === 'asc' ? 1 : -1 } as const;
      let read = 0;
      for await (const document of this.#events.find(query, { projection: SHOWN, sort, limit, batchSize: limit })) {
        found.push(toStored(document));
        read += document.json.length;
        if (read >= characters) break;
      }
      return found;
    });
  }
}

const SHOWN = { key: 1, position: 1, json: 1 } as const;

const toStored = ({ key, position, json }: EventDocument): StoredEvent => ({ key, event: JSON.parse(json) as Event, json, position });

/** Text order is sequence order. A sequence outside what can be is moved to the nearest that can. */
const idOf = (key: string, sequence: number): string =>
  `${key}/${String(Math.min(Math.max(sequence, 0), LAST_SEQUENCE)).padStart(10, '0')}`;

/** `key` again, because a key of more parts (`tenantId/bulk/7up`) may have its names inside the range of a shorter one (`tenantId/bulk`). */
const namesOf = (key: string, from: number, to: number): Filter<EventDocument> => ({
  _id: { $gte: idOf(key, from), $lte: idOf(key, to) },
  key,
});

const documentOf = ({ key, event, json, position }: StoredEvent): EventDocument => ({
  _id: idOf(key, event.sequence),
  key,
  tenantId: isBulkKey(key) ? null : event.tenantId,
  eventId: event.eventId,
  type: event.eventType,
  timestamp: new Date(event.timestamp),
  actorId: event.actor.id,
  position: { partition: position.partition, offset: position.offset, at: position.at },
  json,
});

function matching({ types, from, before, actorId }: EventFilter): Filter<EventDocument> {
  return {
    ...(types === undefined ? {} : { type: { $in: types } }),
    ...(from === undefined && before === undefined
      ? {}
      : {
          timestamp: {
            ...(from === undefined ? {} : { $gte: new Date(from) }),
            ...(before === undefined ? {} : { $lt: new Date(before) }),
          },
        }),
    ...(actorId === undefined ? {} : { actorId }),
  };
}

/**
 * Wide rounds go one by one, each unordered, so that a sharded cluster takes its parts at once. Rounds only get narrower; from the first narrow one on, the rest
 * goes as one ordered insert, which leaves a prefix of the list and so of each key: 100 commands of one task are one message instead of 100.
 */
function stepsOf(documents: EventDocument[]): { documents: EventDocument[]; ordered: boolean }[] {
  const rounds = inRounds(documents, ({ key }) => key);
  const narrow = rounds.findIndex(({ length }) => length < NARROW);
  const wide = narrow === -1 ? rounds : rounds.slice(0, narrow);
  const steps = wide.map((round) => ({ documents: round, ordered: false }));
  return narrow === -1 ? steps : [...steps, { documents: rounds.slice(narrow).flat(), ordered: true }];
}

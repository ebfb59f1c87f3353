import type { StoredEvent } from '@retrigger/domain/event.ts';
import { isBulkKey } from '@retrigger/domain/identifiers.ts';
import type { RemovableEvents } from '@retrigger/ports/event-archive.ts';
import type {
  AppendOutcome,
  EventCursor,
  EventFilter,
  EventPlace,
  EventRange,
  EventStore,
  StoredText,
  TenantCursor,
  TenantFilter,
} from '@retrigger/ports/event-store.ts';
import type { Reached } from '@retrigger/ports/reached.ts';

/** Events in memory, for tests: durable as long as the process. What is read is a copy. */
export class MemoryEventStore implements EventStore, RemovableEvents {
  readonly #streams = new Map<string, Map<number, Omit<StoredEvent, 'event'>>>();
  readonly #reached: Reached;

  constructor(reached: Reached) {
    this.#reached = reached;
  }

  async append(events: StoredEvent[]): Promise<AppendOutcome> {
    const taken = new Set<string>();
    for (const [index, { key, event, json, position }] of events.entries()) {
      if (taken.has(key)) continue; // E2
      const stream = this.#streams.get(key) ?? new Map();
      this.#streams.set(key, stream);
      if (stream.has(event.sequence))
        taken.add(key); // E1
      else stream.set(event.sequence, { key, json, position: { ...position } });
      if (index === 0 && events.length > 1) this.#reached('within-events');
    }
    return taken.size === 0 ? { kind: 'stored' } : { kind: 'conflict', keys: taken };
  }

  async read(key: string, { from, to, limit, order }: EventRange): Promise<StoredEvent[]> {
    return this.#stream(key, order, (sequence) => sequence >= from && sequence <= to).slice(0, limit);
  }

  async page(key: string, filter: EventFilter, { after, limit, order, characters }: EventCursor): Promise<StoredEvent[]> {
    const isBehind = (sequence: number): boolean => after === null || (order === 'asc' ? sequence > after : sequence < after);
    const found = this.#stream(key, order, isBehind).filter((stored) => matches(stored, filter));
    return upTo(found.slice(0, limit), characters);
  }

  async count(key: string, filter: EventFilter, after = 0, upTo = Number.MAX_SAFE_INTEGER): Promise<number> {
    return this.#stream(key, 'asc', (sequence) => sequence > after && sequence <= upTo).filter((stored) => matches(stored, filter)).length;
  }

  async pageOfTenant(filter: TenantFilter, { after, limit, order, characters }: TenantCursor): Promise<StoredEvent[]> {
    const sign = order === 'asc' ? 1 : -1;
    const found = this.#ofTenant(filter).sort((a, b) => sign * byPlace(a.event, b.event));
    const behind = found.filter(({ event }) => after === null || sign * byPlace(event, after) > 0);
    return upTo(behind.slice(0, limit), characters);
  }

  async countOfTenant(filter: TenantFilter): Promise<number> {
    return this.#ofTenant(filter).length;
  }

  async texts(key: string, after: number, limit: number): Promise<StoredText[]> {
    const behind = [...(this.#streams.get(key) ?? [])].filter(([sequence]) => sequence > after).sort(([a], [b]) => a - b);
    return behind.slice(0, limit).map(([sequence, { json }]) => ({ sequence, json }));
  }

  async removeFirst(key: string, upTo: number): Promise<number> {
    const stream = this.#streams.get(key) ?? new Map();
    const gone = [...stream.keys()].filter((sequence) => sequence <= upTo);
    for (const sequence of gone) stream.delete(sequence);
    return gone.length;
  }

  /** Every key that has events, for checkers. */
  keys(): string[] {
    return [...this.#streams.keys()];
  }

  #ofTenant({ tenantId, types, ...filter }: TenantFilter): StoredEvent[] {
    const keys = [...this.#streams.keys()].filter((key) => key.startsWith(`${tenantId}/`) && !isBulkKey(key)); // E5
    const all = keys.flatMap((key) => this.#stream(key, 'asc', () => true));
    return all.filter((stored) => matches(stored, { ...filter, types: [...types] }));
  }

  #stream(key: string, order: 'asc' | 'desc', isWanted: (sequence: number) => boolean): StoredEvent[] {
    const wanted = [...(this.#streams.get(key) ?? [])].filter(([sequence]) => isWanted(sequence));
    const stored = wanted.sort(([a], [b]) => (order === 'asc' ? a - b : b - a));
    return stored.map(([, { json, position }]) => ({ key, json, position: { ...position }, event: JSON.parse(json) }));
  }
}

/** E6: the first of these, up to the one whose text reaches `characters`. */
export function upTo(events: StoredEvent[], characters = Number.POSITIVE_INFINITY): StoredEvent[] {
  let read = 0;
  const last = events.findIndex(({ json }) => {
    read += json.length;
    return read >= characters;
  });
  return last === -1 ? events : events.slice(0, last + 1);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byPlace = (a: EventPlace, b: EventPlace): number => compare(a.timestamp, b.timestamp) || compare(a.eventId, b.eventId);

function matches({ event }: StoredEvent, { types, from, before, actorId }: EventFilter): boolean {
  const at = Date.parse(event.timestamp);
  return (
    (types === undefined || types.includes(event.eventType)) &&
    (from === undefined || at >= Date.parse(from)) &&
    (before === undefined || at < Date.parse(before)) &&
    (actorId === undefined || event.actor.id === actorId)
  );
}

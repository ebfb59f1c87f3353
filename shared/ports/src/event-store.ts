import type { StoredEvent } from '@retrigger/domain/event.ts';

/** `conflict` names the keys of which some event's name was already taken; of those keys a prefix of the given events is stored, of all others everything. */
export type AppendOutcome = { kind: 'stored' } | { kind: 'conflict'; keys: Set<string> };

export type EventRange = {
  /** Lowest sequence, included. */ from: number /** Highest, included. */;
  to: number;
  limit: number;
  order: 'asc' | 'desc';
};

/** What a page of a task's history asks for. Filters that are absent match everything. */
export type EventFilter = {
  types?: string[];
  /** Timestamps in ISO 8601, `from` included, `before` not. */
  from?: string;
  before?: string;
  actorId?: string;
};

/**
 * What a page over a tenant asks for. `types` names every type that is wanted: what the cluster keeps for itself is not a tenant's to see. `before` is not included;
 * whoever wants no holes gives at most the lowest mark (see snapshot-store.ts).
 */
export type TenantFilter = { tenantId: string; types: readonly string[]; from?: string; before: string; actorId?: string };

/** Where a walk over a tenant has got to. */
export type EventPlace = { timestamp: string; eventId: string };

/** Where a page begins (`after` is not in it; null = at the end that `order` starts at), and where it ends. */
type Cursor<P> = {
  after: P | null;
  limit: number;
  order: 'asc' | 'desc';
  /** E6: a page ends with the event with which its texts (`json`) have so many characters together, however many `limit` allows. Absent: no bound. */
  characters?: number;
};
/** By sequence. */
export type EventCursor = Cursor<number>;
export type TenantCursor = Cursor<EventPlace>;

/** An event as its bytes stand in the store, under the sequence of its name. */
export type StoredText = { sequence: number; json: string };

/**
 * The immutable events, one document each, named `tenantId/taskId/sequence`.
 * E1: a name is taken once; whoever comes second is told, and nothing of the first is changed.
 * E2: whatever stops an append, also a kill, leaves a prefix of the given events of each key.
 * E3: `append` resolves when the events are durable.
 * E5: what is over a tenant (`pageOfTenant`, `countOfTenant`) holds no event of a bulk's stream (`isBulkKey`), whatever types are asked for: those are read by key alone.
 * Events of one key are given in sequence order. Not the store's: whether sequences have gaps, what events mean.
 */
export interface EventStore {
  append(events: StoredEvent[]): Promise<AppendOutcome>;
  /** The events of one key in a range of sequences. */
  read(key: string, range: EventRange): Promise<StoredEvent[]>;
  /** Events of one key that match, in sequence order from `after` (not included; null = from the end that `order` starts at). */
  page(key: string, filter: EventFilter, cursor: EventCursor): Promise<StoredEvent[]>;
  /** How many events of one key match, of those behind `after` (a sequence; 0 = of all) and up to `upTo`. */
  count(key: string, filter: EventFilter, after?: number, upTo?: number): Promise<number>;
  /** E4: a tenant's events that match, by (timestamp, eventId), whatever their tasks; found by an index, whatever the filter. */
  pageOfTenant(filter: TenantFilter, cursor: TenantCursor): Promise<StoredEvent[]>;
  /** Exact when `before` is at most the lowest mark: what lies before that may be counted once for all. */
  countOfTenant(filter: TenantFilter): Promise<number>;
  /** The events of one key behind a sequence as they stand, also those that nobody can read any more: for whoever verifies them. */
  texts(key: string, after: number, limit: number): Promise<StoredText[]>;
}

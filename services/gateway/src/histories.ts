import { EVENT_TYPES } from '@retrigger/contract/event-schema.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import { type Archived, NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import type { EventFilter, EventPlace, EventStore, TenantFilter } from '@retrigger/ports/event-store.ts';
import { LATEST } from './stored-history.ts';

/** A walk over events in one order: a task's or a tenant's. Places are texts that a cursor can carry. */
export type History = {
  /** What its totals are remembered under; null = they are counted every time, for nobody here hears of it when events of some task go into an archive. */
  totals: string | null;
  /** Its first events, which are not here any more. */
  archived: Archived;
  /** The same for the same question, whatever the page; no two histories have the same. */
  question: string;
  /** Of the file that it is exported to. */
  name: string;
  /** Ends with the event that makes it so many characters long, at the latest. */
  page(after: string | null, limit: number, characters: number): Promise<StoredEvent[]>;
  placeOf(stored: StoredEvent): string;
  /** What `count` counts up to now. `shown` is what was just read of it. */
  upTo(shown: StoredEvent[]): number;
  count(after: number, upTo: number): Promise<number>;
};

/** No task's id: it has a space. */
const ALL_TASKS = 'all tasks';

type Events = Pick<EventStore, 'page' | 'count' | 'pageOfTenant' | 'countOfTenant'>;

/** What both have in common. */
export type Asked = { tenantId: string; filter: EventFilter; order: 'asc' | 'desc'; fingerprint: string };

/**
 * A task's history; its places are sequences. `head` was read before, so every event up to it is there.
 * H1: what is archived is not part of it from the moment that this is remembered, also while those events still wait to be taken away: a total that was counted
 * in between, and is remembered, would be wrong for ever.
 */
export function taskHistory(
  events: Events,
  { tenantId, filter, order, fingerprint }: Asked,
  taskId: string,
  head: number,
  archived: Archived,
): History {
  const key = taskKey(tenantId, taskId);
  const behind = (after: string | null): number | null => {
    const place = after === null ? null : Number(after);
    return order === 'asc' && archived.last > 0 ? Math.max(place ?? 0, archived.last) : place;
  };
  return {
    totals: `${tenantId}\n${taskId}\n${archived.last}\n${JSON.stringify(filter)}`,
    archived,
    question: `${taskId}\n${fingerprint}`,
    name: `${taskId}-events`,
    async page(after, limit, characters) {
      const found = await events.page(key, filter, { after: behind(after), limit, order, characters });
      return found.filter(({ event }) => event.sequence > archived.last); // H1
    },
    placeOf: ({ event }) => String(event.sequence),
    upTo: (shown) => shown.reduce((last, { event }) => Math.max(last, event.sequence), head),
    count: (after, upTo) => events.count(key, filter, Math.max(after, archived.last), upTo), // H1
  };
}

/** A tenant's history up to the lowest mark (epoch ms), by (timestamp, eventId). */
export function tenantHistory(events: Events, { tenantId, filter, order, fingerprint }: Asked, mark: number): History {
  const within = (from: number, before: number): TenantFilter => ({
    tenantId,
    types: filter.types ?? EVENT_TYPES,
    ...(filter.actorId === undefined ? {} : { actorId: filter.actorId }),
    ...spanOf(filter, from, before),
  });
  const all = within(0, mark);
  return {
    totals: null,
    archived: NOTHING_ARCHIVED,
    question: `${ALL_TASKS}\n${fingerprint}`,
    name: 'events',
    page: (after, limit, characters) =>
      events.pageOfTenant(all, { after: after === null ? null : placeOf(after), limit, order, characters }),
    placeOf: ({ event }) => placeText(event),
    upTo: () => mark,
    count: (after, upTo) => events.countOfTenant(within(after, upTo)),
  };
}

/** The part of one task's history that lies before the lowest mark: a tenant's history, filtered by task. Its places are sequences, which are in order of time. */
export function tenantHistoryOfTask(
  events: Events,
  { tenantId, filter, order, fingerprint }: Asked,
  taskId: string,
  mark: number,
): History {
  const key = taskKey(tenantId, taskId);
  const before = { ...filter, ...spanOf(filter, 0, mark) };
  return {
    totals: null,
    archived: NOTHING_ARCHIVED,
    question: `${ALL_TASKS}\n${fingerprint}`,
    name: 'events',
    page: (after, limit, characters) =>
      events.page(key, before, { after: after === null ? null : Number(after), limit, order, characters }),
    placeOf: ({ event }) => String(event.sequence),
    upTo: () => mark,
    count: (after, upTo) => events.count(key, { ...filter, ...spanOf(filter, after, upTo) }),
  };
}

/** An event's place as a cursor carries it: neither part has a slash. */
export const placeText = ({ timestamp, eventId }: EventPlace): string => `${timestamp}/${eventId}`;

export function placeOf(text: string): EventPlace {
  const [timestamp = '', eventId = ''] = text.split('/');
  return { timestamp, eventId };
}

/** The part of what was asked for that lies between two instants (epoch ms). */
function spanOf({ from, before }: EventFilter, lowest: number, end: number): { from?: string; before: string } {
  const [lowestText, endText] = [formatInstant(lowest), formatInstant(Math.min(end, LATEST))];
  const start = from === undefined || lowestText > from ? (lowest === 0 ? from : lowestText) : from;
  return { ...(start === undefined ? {} : { from: start }), before: before === undefined || endText < before ? endText : before };
}

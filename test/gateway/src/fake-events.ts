import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import type { GatewayDeps } from '@retrigger/gateway/deps.ts';
import { placeText } from '@retrigger/gateway/histories.ts';
import { upTo } from '@retrigger/memory/memory-event-store.ts';
import type { EventFilter } from '@retrigger/ports/event-store.ts';

/** An event store over a list that a test holds and may change. */
export const eventsIn = (events: StoredEvent[]): GatewayDeps['events'] => ({
  read: async (key, { from, to }) => events.filter(({ key: k, event: { sequence: s } }) => k === key && s >= from && s <= to),
  page: async (key, filter, { after, limit, order, characters }) => {
    const all = ofTask(events, key).filter(
      ({ event }) => matches(event, filter) && (after === null || (order === 'asc' ? event.sequence > after : event.sequence < after)),
    );
    return upTo((order === 'asc' ? all : all.reverse()).slice(0, limit), characters);
  },
  count: async (key, filter, after = 0, upTo = Number.POSITIVE_INFINITY) =>
    ofTask(events, key).filter(({ event }) => matches(event, filter) && event.sequence > after && event.sequence <= upTo).length,
  pageOfTenant: async ({ tenantId, types, ...filter }, { after, limit, order, characters }) => {
    const all = events
      .filter(({ event }) => event.tenantId === tenantId && matches(event, { ...filter, types: [...types] }))
      .sort((a, b) => (placeText(a.event) < placeText(b.event) ? -1 : 1))
      .filter(
        ({ event }) => after === null || (order === 'asc' ? placeText(event) > placeText(after) : placeText(event) < placeText(after)),
      );
    return upTo((order === 'asc' ? all : all.reverse()).slice(0, limit), characters);
  },
  countOfTenant: async ({ tenantId, types, ...filter }) =>
    events.filter(({ event }) => event.tenantId === tenantId && matches(event, { ...filter, types: [...types] })).length,
  texts: async (key, after, limit) =>
    ofTask(events, key)
      .filter(({ event }) => event.sequence > after)
      .slice(0, limit)
      .map(({ event, json }) => ({ sequence: event.sequence, json })),
});

const ofTask = (events: StoredEvent[], key: string): StoredEvent[] =>
  events.filter((stored) => stored.key === key).sort((a, b) => a.event.sequence - b.event.sequence);

const matches = (event: Event, { types, from, before, actorId }: EventFilter): boolean =>
  (types?.includes(event.eventType) ?? true) &&
  (from === undefined || event.timestamp >= from) &&
  (before === undefined || event.timestamp < before) &&
  (actorId === undefined || event.actor.id === actorId);

import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { GatewayDeps } from './deps.ts';

type Read = Pick<EventStore, 'read' | 'page' | 'count' | 'pageOfTenant' | 'countOfTenant'>;

/** Stored events as whoever may read them is shown them. A stream's key begins with its tenant. */
export function openedEvents({ events, privacy: { disclosure } }: Pick<GatewayDeps, 'events' | 'privacy'>): Read {
  const tenantOf = (key: string): string => key.slice(0, key.indexOf('/'));
  return {
    read: async (key, range) => disclosure.events(tenantOf(key), await events.read(key, range)),
    page: async (key, filter, cursor) => disclosure.events(tenantOf(key), await events.page(key, filter, cursor)),
    count: (...asked) => events.count(...asked),
    pageOfTenant: async (filter, cursor) => disclosure.events(filter.tenantId, await events.pageOfTenant(filter, cursor)),
    countOfTenant: (filter) => events.countOfTenant(filter),
  };
}

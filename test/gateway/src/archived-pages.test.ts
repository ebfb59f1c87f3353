import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import type { Archived } from '@retrigger/engine/archived-events.ts';
import { taskHistory } from '@retrigger/gateway/histories.ts';
import { describe, expect, test } from 'vitest';
import { eventsIn } from './fake-events.ts';

const stored = (sequence: number): StoredEvent => {
  const event = { tenantId: 'acme', taskId: 't', sequence, eventType: 'TaskChanged', timestamp: `2026-03-0${sequence}T00:00:00.000Z` };
  return { key: 'acme/t', event: event as Event, json: '{}', position: { partition: 0, offset: sequence, at: 0 } };
};

describe.each(['asc', 'desc'] as const)('a history of which the first events are archived and not yet taken away, %s', (order) => {
  const archived: Archived = { last: 3, hash: 'h', at: '2026-03-03T00:00:00.000Z', state: null };
  const asked = { tenantId: 'acme', filter: {}, order, fingerprint: 'f' };
  const history = taskHistory(eventsIn([1, 2, 3, 4, 5].map(stored)), asked, 't', 5, archived);
  const sequences = async (after: string | null, limit: number) =>
    (await history.page(after, limit, Number.POSITIVE_INFINITY)).map(({ event }) => event.sequence);

  test('shows the others only, from the start and from a place before them (H1)', async () => {
    expect(await sequences(null, 10)).toEqual(order === 'asc' ? [4, 5] : [5, 4]);
    expect(await sequences(order === 'asc' ? '1' : '5', 10)).toEqual(order === 'asc' ? [4, 5] : [4]);
    expect(await sequences(null, 1)).toEqual(order === 'asc' ? [4] : [5]);
  });

  test('counts the others only (H1)', async () => {
    expect(await history.count(0, 5)).toBe(2);
    expect(await history.count(4, 5)).toBe(1);
  });
});

import type { EventFilter, EventStore } from '@retrigger/ports/event-store.ts';
import { describe, expect, test } from 'vitest';
import { type EventStoreAdapter, openEvents } from './event-store-adapter.ts';
import { unique } from './eventually.ts';
import { MINUTE_MS, SAMPLE_START_MS, sampleStream } from './samples.ts';

const COUNT = 30;
const at = (sequence: number): string => new Date(SAMPLE_START_MS + sequence * MINUTE_MS).toISOString();
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The filters and what they match of events 1 to 30 (see samples.ts: types rotate by three, actors by two, one event a minute). */
const FILTERS: [string, EventFilter, (sequence: number) => boolean][] = [
  ['nothing', {}, () => true],
  ['one type', { types: ['TaskStarted'] }, (s) => s % 3 === 2],
  ['two types', { types: ['TaskTriggered', 'TaskCompleted'] }, (s) => s % 3 !== 2],
  ['no type', { types: [] }, () => false],
  ['a type that there is not', { types: ["'; DROP TABLE events; --"] }, () => false],
  ['from, included', { from: at(10) }, (s) => s >= 10],
  ['before, not included', { before: at(10) }, (s) => s < 10],
  ['from and before', { from: at(10), before: at(20) }, (s) => s >= 10 && s < 20],
  ['a time written without milliseconds', { from: at(10).replace('.000Z', 'Z') }, (s) => s >= 10],
  ['an actor', { actorId: 'user-1' }, (s) => s % 2 === 1],
  ['everything at once', { types: ['TaskTriggered'], from: at(4), before: at(25), actorId: 'user-0' }, (s) => s % 6 === 4 && s < 25],
];

/** Pages and counts of a task's history. */
export function eventPageTests(name: string, adapter: EventStoreAdapter): void {
  describe(`${name} event store: pages`, { timeout: adapter.timeoutMs * 4 }, () => {
    const stored = async (): Promise<{ events: EventStore; key: string }> => {
      const events = await openEvents(adapter);
      const tenant = unique('tenant');
      await events.append([...sampleStream(tenant, 'task', COUNT), ...sampleStream(tenant, 'task-2', 5)]);
      return { events, key: `${tenant}/task` };
    };
    const walk = async (events: EventStore, key: string, filter: EventFilter, order: 'asc' | 'desc', limit: number): Promise<number[]> => {
      const seen: number[] = [];
      for (let after: number | null = null; ; ) {
        const page = await events.page(key, filter, { after, limit, order });
        seen.push(...page.map(({ event }) => event.sequence));
        if (page.length < limit) return seen;
        after = seen.at(-1) ?? null;
      }
    };

    test.each(FILTERS)('a page and a count filtered by %s match the same events, both ways round', async (_, filter, matches) => {
      const { events, key } = await stored();
      const expected = range(1, COUNT).filter(matches);
      expect(await walk(events, key, filter, 'asc', 1_000)).toEqual(expected);
      expect(await walk(events, key, filter, 'desc', 1_000)).toEqual([...expected].reverse());
      expect(await walk(events, key, filter, 'asc', 4)).toEqual(expected);
      expect(await walk(events, key, filter, 'desc', 4)).toEqual([...expected].reverse());
      expect(await events.count(key, filter)).toBe(expected.length);
      expect(await events.count(key, filter, 7)).toBe(expected.filter((sequence) => sequence > 7).length);
      expect(await events.count(key, filter, 7, 22)).toBe(expected.filter((sequence) => sequence > 7 && sequence <= 22).length);
    });

    test.each(['asc', 'desc'] as const)('a page ends with the event with which it is long enough, %s (E6)', async (order) => {
      const { events, key } = await stored();
      const all = await events.page(key, {}, { after: null, limit: 1_000, order });
      const page = (characters: number, limit = 1_000) => events.page(key, {}, { after: null, limit, order, characters });
      const two = all.slice(0, 2).reduce((sum, { json }) => sum + json.length, 0);
      expect(await page(two)).toEqual(all.slice(0, 2));
      expect(await page(two + 1)).toEqual(all.slice(0, 3));
      expect(await page(1)).toEqual(all.slice(0, 1));
      expect(await page(two, 1)).toEqual(all.slice(0, 1));
      expect(await page(1_000_000)).toEqual(all);
    });

    test('a page holds whole events', async () => {
      const { events, key } = await stored();
      const page = await events.page(key, { types: ['TaskStarted'] }, { after: 2, limit: 2, order: 'asc' });
      expect(page).toEqual(sampleStream(key.split('/')[0] ?? '', 'task', COUNT).filter(({ event }) => [5, 8].includes(event.sequence)));
    });

    test('a walk loses and repeats nothing while events are added', async () => {
      const { events, key } = await stored();
      const [tenantId = ''] = key.split('/');
      const first = await events.page(key, {}, { after: null, limit: 20, order: 'asc' });
      await events.append(sampleStream(tenantId, 'task', COUNT + 5).slice(COUNT));
      const rest = await events.page(key, {}, { after: first.at(-1)?.event.sequence ?? null, limit: 20, order: 'asc' });
      expect([...first, ...rest].map(({ event }) => event.sequence)).toEqual(range(1, COUNT + 5));
    });

    test('a task without events has an empty page and counts none', async () => {
      const { events, key } = await stored();
      expect(await events.page(`${key}-none`, {}, { after: null, limit: 10, order: 'desc' })).toEqual([]);
      expect(await events.count(`${key}-none`, {})).toBe(0);
    });
  });
}

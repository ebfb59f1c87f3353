import type { EventPlace, EventStore, TenantFilter } from '@retrigger/ports/event-store.ts';
import { describe, expect, test } from 'vitest';
import { type EventStoreAdapter, openEvents } from './event-store-adapter.ts';
import { unique } from './eventually.ts';
import { inRounds, MINUTE_MS, SAMPLE_START_MS, sampleEvent, sampleStream } from './samples.ts';

const ALL = ['TaskTriggered', 'TaskStarted', 'TaskCompleted'];
const END = '2027-01-01T00:00:00.000Z';
const at = (minute: number): string => new Date(SAMPLE_START_MS + minute * MINUTE_MS).toISOString();

/** The filters and what they match, by sequence (see samples.ts: types rotate by three, actors by two; the n-th events of all tasks have one timestamp). */
const FILTERS: [string, Omit<TenantFilter, 'tenantId'>, (sequence: number) => boolean][] = [
  ['nothing', { types: ALL, before: END }, () => true],
  ['one type', { types: ['TaskStarted'], before: END }, (s) => s % 3 === 2],
  ['two types', { types: ['TaskCompleted', 'TaskTriggered'], before: END }, (s) => s % 3 !== 2],
  ['no type', { types: [], before: END }, () => false],
  ['a type that there is not', { types: ["'; DROP TABLE events; --"], before: END }, () => false],
  ['from, included', { types: ALL, from: at(10), before: END }, (s) => s >= 10],
  ['before, not included', { types: ALL, before: at(10) }, (s) => s < 10],
  ['an empty span', { types: ALL, from: at(10), before: at(10) }, () => false],
  ['an actor', { types: ALL, actorId: 'user-1', before: END }, (s) => s % 2 === 1],
  ['an actor and a type', { types: ['TaskTriggered'], actorId: 'user-0', before: END }, (s) => s % 6 === 4],
  [
    'everything at once',
    { types: ['TaskTriggered', 'TaskStarted'], from: at(3), before: at(15), actorId: 'user-0' },
    (s) => s % 2 === 0 && s % 3 !== 0 && s >= 3 && s < 15,
  ],
];

type Line = EventPlace & { sequence: number };
const byPlace = (a: Line, b: Line): number => (a.timestamp + a.eventId < b.timestamp + b.eventId ? -1 : 1);

/** Pages and counts over a tenant (E4, E5). */
export function eventTenantTests(name: string, adapter: EventStoreAdapter): void {
  describe(`${name} event store: over a tenant`, { timeout: adapter.timeoutMs * 4 }, () => {
    const stored = async (): Promise<{ events: EventStore; tenantId: string; all: Line[] }> => {
      const [events, tenantId] = [await openEvents(adapter), unique('tenant')];
      const streams = ['a', 'b', 'c'].map((taskId) => sampleStream(tenantId, taskId, 20));
      await events.append(inRounds([...streams, sampleStream(`${tenantId}x`, 'a', 5)]));
      const all = streams.flat().map(({ event: { timestamp, eventId, sequence } }) => ({ timestamp, eventId, sequence }));
      return { events, tenantId, all: all.sort(byPlace) };
    };
    const walk = async (events: EventStore, filter: TenantFilter, order: 'asc' | 'desc', limit: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let after: EventPlace | null = null; ; ) {
        const page = await events.pageOfTenant(filter, { after, limit, order });
        seen.push(...page.map(({ event }) => event.eventId));
        if (page.length < limit) return seen;
        after = page.at(-1)?.event ?? null;
      }
    };

    test.each(['asc', 'desc'] as const)('a page ends with the event with which it is long enough, %s (E6)', async (order) => {
      const { events, tenantId } = await stored();
      const filter = { tenantId, types: ALL, before: END };
      const all = await events.pageOfTenant(filter, { after: null, limit: 1_000, order });
      const page = (characters: number) => events.pageOfTenant(filter, { after: null, limit: 1_000, order, characters });
      const two = all.slice(0, 2).reduce((sum, { json }) => sum + json.length, 0);
      expect(await page(two)).toEqual(all.slice(0, 2));
      expect(await page(two + 1)).toEqual(all.slice(0, 3));
      expect(await page(1_000_000)).toEqual(all);
    });

    test.each(FILTERS)(
      'a page and a count filtered by %s match the same events, by time and id, both ways round (E4)',
      async (_, asked, matches) => {
        const { events, tenantId, all } = await stored();
        const filter = { ...asked, tenantId };
        const expected = all.filter(({ sequence }) => matches(sequence)).map(({ eventId }) => eventId);
        for (const limit of [1_000, 4, 1]) {
          expect(await walk(events, filter, 'asc', limit)).toEqual(expected);
          expect(await walk(events, filter, 'desc', limit)).toEqual([...expected].reverse());
        }
        expect(await events.countOfTenant(filter)).toBe(expected.length);
      },
    );

    test('a page holds whole events, and of the tenant’s only', async () => {
      const { events, tenantId } = await stored();
      const page = await events.pageOfTenant(
        { tenantId: `${tenantId}x`, types: ALL, before: END },
        { after: null, limit: 9, order: 'asc' },
      );
      expect(page).toEqual(sampleStream(`${tenantId}x`, 'a', 5));
      expect(await events.countOfTenant({ tenantId: `${tenantId}y`, types: ALL, before: END })).toBe(0);
    });

    test('a place between two events, or outside the filter’s span, is a place all the same', async () => {
      const { events, tenantId, all } = await stored();
      const ids = async (after: EventPlace, order: 'asc' | 'desc') =>
        (await events.pageOfTenant({ tenantId, types: ALL, from: at(5), before: at(8) }, { after, limit: 99, order })).map(
          ({ event }) => event.eventId,
        );
      const span = all.filter(({ sequence }) => sequence >= 5 && sequence < 8).map(({ eventId }) => eventId);
      expect(await ids({ timestamp: at(1), eventId: 'zzz' }, 'asc')).toEqual(span);
      expect(await ids({ timestamp: at(6), eventId: '' }, 'asc')).toEqual(span.slice(3));
      expect(await ids({ timestamp: at(8), eventId: '' }, 'asc')).toEqual([]);
      expect(await ids({ timestamp: at(19), eventId: '' }, 'desc')).toEqual(span.toReversed());
      expect(await ids({ timestamp: at(6), eventId: '' }, 'desc')).toEqual(span.slice(0, 3).reverse());
      expect(await ids({ timestamp: at(5), eventId: '' }, 'desc')).toEqual([]);
    });

    test.each([undefined, 'user-1'])(
      'a bulk’s events are in no page and no count, whatever their types (E5), of actor %s',
      async (actorId) => {
        const { events, tenantId, all } = await stored();
        const bulk = sampleStream(tenantId, 'bulk/7up', 6);
        await events.append(bulk);
        const filter = { tenantId, types: ALL, before: END, ...(actorId === undefined ? {} : { actorId }) };
        const expected = all.filter(({ sequence }) => actorId === undefined || sequence % 2 === 1).map(({ eventId }) => eventId);
        expect(await walk(events, filter, 'asc', 4)).toEqual(expected);
        expect(await walk(events, filter, 'desc', 1_000)).toEqual(expected.toReversed());
        expect(await events.countOfTenant(filter)).toBe(expected.length);
        expect(await events.read(`${tenantId}/bulk/7up`, { from: 1, to: 9, limit: 9, order: 'asc' })).toEqual(bulk);
      },
    );

    test('a task whose name begins like a bulk’s is shown like any other (E5)', async () => {
      const [events, tenantId] = [await openEvents(adapter), unique('tenant')];
      const shown = ['bulkhead', '~tenant'].flatMap((taskId) => sampleStream(tenantId, taskId, 1));
      await events.append(shown);
      const found = await events.pageOfTenant({ tenantId, types: ALL, before: END }, { after: null, limit: 9, order: 'asc' });
      expect(new Set(found.map(({ key }) => key))).toEqual(new Set(shown.map(({ key }) => key)));
    });

    test('texts are the bytes that were stored, behind a sequence, up to the limit', async () => {
      const [events, tenantId] = [await openEvents(adapter), unique('tenant')];
      const stream = sampleStream(tenantId, 'task', 12);
      await events.append(stream);
      await events.append([sampleEvent({ tenantId, taskId: 'task-1', sequence: 3 })]);
      const texts = stream.map(({ json }, i) => ({ sequence: i + 1, json }));
      expect(await events.texts(`${tenantId}/task`, 0, 100)).toEqual(texts);
      expect(await events.texts(`${tenantId}/task`, 9, 2)).toEqual(texts.slice(9, 11));
      expect(await events.texts(`${tenantId}/task`, 12, 2)).toEqual([]);
    });
  });
}

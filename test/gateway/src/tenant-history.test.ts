import type { StoredEvent } from '@retrigger/domain/event.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

const EVENTS = '/api/v1/events';
const TYPES = ['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted'];
type Page = {
  events: { eventId: string; taskId: string; sequence: number }[];
  total: number;
  pageInfo: { hasMore: boolean; nextCursor: string | null };
};

describe('the history of a tenant', () => {
  let door: Door;
  /** What there is, by time and id. */
  let all: string[];
  const page = async (query = ''): Promise<Page> => (await door.ask(`${EVENTS}${query}`)).json.data;
  const ids = async (query: string) => (await page(query)).events.map(({ eventId }) => eventId);

  beforeEach(() => {
    door = startDoor();
    for (const task of ['a', 'b', 'c']) door.seed('default', task, TYPES);
    door.seed('other', 'a', ['TaskCreated']);
    const own = door.events.filter(({ event }) => event.tenantId === 'default').map(({ event }) => event);
    all = own.sort((x, y) => (x.timestamp + x.eventId < y.timestamp + y.eventId ? -1 : 1)).map(({ eventId }) => eventId);
  });

  test('is that of all its tasks, by time and id, with its total, and of nobody else’s', async () => {
    const { events, total, pageInfo } = await page();
    expect([events.map(({ eventId }) => eventId), total, pageInfo]).toEqual([all, 12, { hasMore: false, nextCursor: null }]);
    expect((await door.ask(EVENTS, { as: 'stranger' })).json.data.total).toBe(1);
  });

  test.each(['', '&types=TaskCreated,TaskStarted', '&taskId=b', '&actor=admin'])(
    'walking the cursor both ways neither loses nor repeats one%s',
    async (filter) => {
      const expected = await ids(`?pageSize=1000${filter}`);
      expect(expected.length).toBeGreaterThan(2);
      for (const order of ['asc', 'desc']) {
        const seen: string[] = [];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const { events, total, pageInfo }: Page = await page(`?order=${order}&pageSize=3&cursor=${cursor}${filter}`);
          seen.push(...events.map(({ eventId }) => eventId));
          expect(total).toBe(expected.length);
          cursor = pageInfo.nextCursor;
        }
        expect(order === 'asc' ? seen : seen.reverse()).toEqual(expected);
      }
    },
  );

  test('ends at the lowest mark, total and files too, and goes on when that has moved (M1)', async () => {
    const third = Date.parse((door.events[2] as StoredEvent).event.timestamp);
    door.mark = { at: third, newest: 0 };
    expect((await page('?pageSize=4')).events).toHaveLength(4);
    const { total, pageInfo } = await page('?pageSize=4');
    expect(total, 'the first two of each').toBe(6);
    expect((await page('?taskId=a')).total).toBe(2);
    expect((await door.ask(`${EVENTS}?format=jsonl`)).text.trimEnd().split('\n')).toHaveLength(6);
    expect((await page(`?to=2027-01-01`)).total).toBe(6);
    door.mark = { at: third + 3_600_000, newest: 0 };
    const rest = await page(`?pageSize=100&cursor=${pageInfo.nextCursor}&pageSize=4`.replace('pageSize=100&', ''));
    expect([rest.events.length, rest.total]).toEqual([4, 12]);
    door.mark = { at: 0, newest: 0 };
    expect((await page()).events).toEqual([]);
  });

  test('filters by type, actor, time and task', async () => {
    const of = async (query: string) => (await page(query)).events.map(({ taskId, sequence }) => `${taskId}${sequence}`).sort();
    expect(await of('?types=TaskCompleted')).toEqual(['a4', 'b4', 'c4']);
    expect(await of('?types=TaskRescheduled')).toEqual([]);
    expect(await of('?actor=nobody')).toEqual([]);
    expect(await of('?taskId=c&types=TaskCreated,TaskStarted')).toEqual(['c1', 'c3']);
    expect(await of('?taskId=nowhere')).toEqual([]);
    expect(await of('?from=2026-03-04T05:07:07.008Z&to=2026-03-04T05:07:07.008Z')).toEqual(['a2', 'b2', 'c2']);
    expect(await of('?from=2026-03-05')).toEqual([]);
  });

  test('what its tenant keeps for itself is not shown', async () => {
    door.seed('default', 'bulk/1', ['BulkDecided']);
    expect((await page()).total).toBe(12);
  });

  test('a cursor is good for its query and tenant only (Q1)', async () => {
    const { nextCursor } = (await page('?pageSize=2')).pageInfo;
    const asked = async (path: string, as = 'admin') => (await door.ask(path, { as })).status;
    expect(await asked(`${EVENTS}?cursor=${nextCursor}&pageSize=9`)).toBe(200);
    for (const query of ['order=desc', 'types=TaskCreated', 'actor=admin', 'from=2026-03-04', 'to=2026-03-05', 'taskId=a'])
      expect([query, await asked(`${EVENTS}?cursor=${nextCursor}&${query}`)]).toEqual([query, 400]);
    expect(await asked(`/api/v1/tasks/a/events?cursor=${nextCursor}`)).toBe(400);
    expect(await asked(`${EVENTS}?cursor=${nextCursor}`, 'stranger')).toBe(400);
    for (let i = 0; i < (nextCursor ?? '').length; i++) {
      const altered = `${nextCursor?.slice(0, i)}${nextCursor?.[i] === 'A' ? 'B' : 'A'}${nextCursor?.slice(i + 1)}`;
      expect([i, await asked(`${EVENTS}?cursor=${altered}`)]).toEqual([i, 400]);
    }
  });

  test('may be read by whoever may read events', async () => {
    expect((await door.ask(EVENTS, { as: 'viewer' })).status).toBe(200);
    expect((await door.ask(EVENTS, { as: 'executor' })).status).toBe(403);
    expect((await door.ask(EVENTS, { as: null })).status).toBe(401);
  });

  test('its file holds the events of its pages', async () => {
    const { text, headers } = await door.ask(`${EVENTS}?format=jsonl&order=desc`);
    expect(headers.get('content-disposition')).toBe('attachment; filename="events.jsonl"');
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).eventId),
    ).toEqual(all.toReversed());
    expect((await door.ask(`${EVENTS}?format=csv&taskId=a`)).text.split('\r\n')).toHaveLength(6);
  });
});

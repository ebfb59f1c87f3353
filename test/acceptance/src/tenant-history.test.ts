import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { verifyExport } from '@retrigger/verifier/verify-export.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { happenings, historiesOf, trailsTo, walkWhile } from './walking.ts';

const namesOf = (events: { taskId: string; sequence: number }[]) => events.map(({ taskId, sequence }) => `${taskId}#${sequence}`);
const tasks = (name: string, count: number) => Array.from({ length: count }, (_, i) => own(`${name}-${i}`));

describe.each(PROFILES)('the history of all tasks, %s', (profile) => {
  let running: Running;
  let admin: Client;
  const lived = tasks('lived', 6);
  /** The events of those tasks, by time and id. */
  let all: Event[];

  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    await happenings(admin, lived, 8);
    for (const taskId of lived) await admin.post(`/tasks/${taskId}/cancel`);
    all = await historiesOf(admin, lived);
    await trailsTo(admin, all.at(-1) as Event);
  });
  afterAll(() => running.stop());

  test('AC-11 all are read in order with total, trailing by little more than a second', async () => {
    const page = await admin.page('pageSize=1000');
    expect(namesOf(page.events)).toEqual(namesOf(all));
    expect([page.total, page.pageInfo]).toEqual([all.length, { hasMore: false, nextCursor: null }]);
    expect((await admin.page('pageSize=1000&order=desc')).events).toEqual(page.events.toReversed());
    await admin.create(own('late'));
    const begun = performance.now();
    await trailsTo(admin, (await admin.events(own('late')))[0] as Event);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('AC-12 filtering by types, actor and task gives exactly those', async () => {
    const mine = async (query: string) =>
      (await admin.page(`pageSize=1000&${query}`)).events.filter(({ taskId }) => lived.includes(taskId));
    expect(await mine('types=TaskTriggered,TaskCancelled')).toEqual(
      all.filter(({ eventType }) => ['TaskTriggered', 'TaskCancelled'].includes(eventType)),
    );
    expect(await mine('actor=admin')).toEqual(all);
    expect(await mine('actor=nobody')).toEqual([]);
    expect(await mine(`taskId=${lived[2]}&types=CommandRefused`)).toEqual(
      all.filter(({ taskId, eventType }) => taskId === lived[2] && eventType === 'CommandRefused'),
    );
  });

  test('AC-13 from and to are instants, included, or whole UTC days', async () => {
    const between = async (from: string, to: string) => namesOf((await admin.page(`pageSize=1000&from=${from}&to=${to}`)).events);
    const [from = '', to = ''] = [all[5]?.timestamp, all.at(-5)?.timestamp];
    expect(await between(from, to)).toEqual(namesOf(all.filter(({ timestamp }) => timestamp >= from && timestamp <= to)));
    for (const day of new Set(all.map(({ timestamp }) => timestamp.slice(0, 10))))
      expect(await between(day, day)).toEqual(expect.arrayContaining(namesOf(all.filter(({ timestamp }) => timestamp.startsWith(day)))));
    expect(await between('2020-01-01', '2020-01-02')).toEqual([]);
  });

  test('AC-14 nothing of it can be changed: 405 with Allow: GET', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      for (const path of ['/api/v1/events', '/api/v1/events/stream']) {
        const { status, headers, json } = await admin.call(method, path, {});
        expect([method, path, status, headers.get('allow'), json.code]).toEqual([method, path, 405, 'GET', 'method_not_allowed']);
      }
    }
  });

  test.each(['jsonl', 'csv'])('as %s it is the events of its pages, and every chain in it is whole', async (format) => {
    const { text, headers } = await admin.call('GET', `/api/v1/events?format=${format}`);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="events.${format}"`);
    const { events, total } = await admin.page('pageSize=1000');
    const lines = text.trimEnd().split(/\r?\n/);
    if (format === 'jsonl') expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    const pieces = async function* () {
      yield Buffer.from(text);
    };
    expect(await verifyExport(pieces(), false)).toMatchObject({ kind: 'whole', events: total, gaps: 0 });
    const tampered = async function* () {
      yield Buffer.from(text.replace('"user"', '"system"'));
    };
    expect(await verifyExport(tampered(), false)).toMatchObject({ kind: 'broken', reason: 'hash does not match the content' });
  });

  test('AC-11 walking the cursor while tasks on many partitions have events neither loses nor repeats one', async () => {
    const names = tasks('walked', 24);
    let isDone = false;
    const walks = ['pageSize=40', 'pageSize=13&types=CommandRefused', 'pageSize=1000'].map((query) =>
      walkWhile(admin, query, () => isDone),
    );
    await happenings(admin, names, 25);
    isDone = true;
    const [small = [], refused = [], large = []] = await Promise.all(walks);
    const expected = await historiesOf(admin, names);
    expect(expected).toHaveLength(24 * 25);
    const mine = (events: Event[]) => namesOf(events.filter(({ taskId }) => names.includes(taskId)));
    expect(mine(small)).toEqual(namesOf(expected));
    expect(mine(large)).toEqual(namesOf(expected));
    expect(mine(refused)).toEqual(namesOf(expected.filter(({ eventType }) => eventType === 'CommandRefused')));
  });

  test('the stream shows the same, whatever is filtered and however often a client comes back with Last-Event-ID', async () => {
    const names = tasks('streamed', 16);
    const chosen = names[3] ?? '';
    const clients = await Promise.all([admin.stream(), admin.stream('types=TaskTriggered'), admin.stream(`taskId=${chosen}`)]);
    let restless = await admin.stream();
    const seen: string[] = [];
    let isDone = false;
    const coming = (async () => {
      for (let id = ''; !isDone || seen.length < 16 * 20; ) {
        await restless.until(() => restless.messages.length >= 7);
        seen.push(...namesOf(restless.messages.map(({ data }) => data)).filter((name) => names.some((own) => name.startsWith(`${own}#`))));
        id = restless.messages.at(-1)?.id ?? id;
        await restless.cancel();
        if (seen.length >= 16 * 20) return;
        restless = await admin.stream('', id);
      }
    })();
    await happenings(admin, names, 20);
    isDone = true;
    const expected = await historiesOf(admin, names);
    const wanted = [
      expected,
      expected.filter(({ eventType }) => eventType === 'TaskTriggered'),
      expected.filter(({ taskId }) => taskId === chosen),
    ];
    for (const [i, client] of clients.entries()) {
      const mine = () => client.messages.map(({ data }) => data).filter(({ taskId }) => names.includes(taskId));
      await client.until(() => mine().length >= (wanted[i]?.length ?? 0));
      expect(namesOf(mine())).toEqual(namesOf(wanted[i] ?? []));
      expect(mine()).toEqual(wanted[i]);
      await client.cancel();
    }
    await admin.create(own('one-more')); // so that the last batch of seven gets full
    for (let i = 0; i < 8; i++) await admin.post(`/tasks/${own('one-more')}/cancel`);
    await coming;
    expect(seen).toEqual(namesOf(expected));
  });

  test('five hundred clients are each shown everything', async () => {
    const names = tasks('crowd', 5);
    const clients = await Promise.all(Array.from({ length: 500 }, () => admin.stream()));
    const shown = clients.map((client) =>
      client.until(() => client.messages.filter(({ data }) => names.includes(data.taskId)).length >= 50),
    );
    await happenings(admin, names, 10);
    await Promise.all(shown);
    const expected = namesOf(await historiesOf(admin, names));
    for (const { messages } of clients)
      expect(namesOf(messages.map(({ data }) => data).filter(({ taskId }) => names.includes(taskId)))).toEqual(expected);
    await Promise.all(clients.map((client) => client.cancel()));
    await eventually('the door still answers', async () => (await admin.call('GET', '/readyz')).status === 200);
  });
});

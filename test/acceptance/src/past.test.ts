import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, Task } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const SHIFTED_CLOCK = new URL('./shifted-clock.ts', import.meta.url).href;
const dayOf = ({ timestamp }: Event): string => timestamp.slice(0, 10);

describe.each(PROFILES)('the past, %s', (profile) => {
  let running: Running;
  let admin: Client;
  const taskId = own('lived');
  /** The task after each change, as it was shown then. */
  const shown: Task[] = [];

  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    const see = async () => void shown.push(await admin.task(taskId));
    await admin.create(taskId, { context: { version: 1, tags: ['a'] }, retry: { jitter: 'none' } });
    await see();
    const { executionId } = await admin.trigger(taskId, { triggerReason: '=1+1' });
    await see();
    await admin.post(`/tasks/${taskId}/trigger`);
    await admin.post(`/executions/${executionId}/failed`, { error: 'broken' });
    await see();
    await admin.patch(taskId, { context: { version: 2, tags: ['a', 'b'] }, deadline: '1h' });
    await see();
    await admin.rescheduled(taskId, { strategy: 'delayed', delay: '1h' });
    await see();
    await admin.post(`/tasks/${taskId}/cancel`, { reason: 'enough' });
    await see();
  });
  afterAll(() => running.stop());

  test('a task as of each of its events is what it was shown as then; after the last it is the current one, before the first there is none', async () => {
    const changes = (await admin.events(taskId)).filter(({ eventType }) => eventType !== 'CommandRefused');
    expect(changes).toHaveLength(shown.length);
    for (const [i, { timestamp }] of changes.entries()) {
      if (changes[i + 1]?.timestamp === timestamp) continue; // two in one millisecond: the later one counts
      expect(await admin.data(`/tasks/${taskId}?at=${timestamp}`)).toEqual(shown[i]);
    }
    expect(await admin.data(`/tasks/${taskId}?at=9999-12-31T23:59:59.999Z`)).toEqual(await admin.task(taskId));
    const first = Date.parse(changes[0]?.timestamp ?? '');
    const { status, json } = await admin.call('GET', `/api/v1/tasks/${taskId}?at=${new Date(first - 1).toISOString()}`);
    expect([status, json.code]).toEqual([404, 'task_not_found']);
  });

  type Diff = { changes: { path: string; before: unknown; after: unknown; event: { eventType: string } }[] };
  const diff = async (from?: string, to?: string) => {
    const query = new URLSearchParams({ ...(from && { from }), ...(to && { to }) });
    return (await admin.data<Diff>(`/tasks/${taskId}/diff?${query}`)).changes.map(({ event, ...change }) => ({
      ...change,
      by: event.eventType,
    }));
  };

  test('the difference of two instants names each field, its values, and the event that set it', async () => {
    const at = (type: string) => admin.events(taskId, `types=${type}`).then(([event]) => event?.timestamp);
    expect(await diff(await at('TaskFailed'), await at('TaskChanged'))).toEqual([
      { path: '/context/tags', before: ['a'], after: ['a', 'b'], by: 'TaskChanged' },
      { path: '/context/version', before: 1, after: 2, by: 'TaskChanged' },
      { path: '/deadline', before: null, after: '1h', by: 'TaskChanged' },
    ]);
    const whole = await diff(await at('TaskCreated'));
    expect(whole).toContainEqual({ path: '/status', before: 'Draft', after: 'Cancelled', by: 'TaskCancelled' });
    expect(whole.map(({ path }) => path).filter((path) => path.startsWith('/schedule'), 'it had none, and has none')).toEqual([]);
    const created = await diff(undefined, await at('TaskCreated'));
    expect(created).toContainEqual({ path: '/taskId', before: null, after: taskId, by: 'TaskCreated' });
    expect(await diff('2999-01-01T00:00:00Z')).toEqual([]);
    const { status, json } = await admin.call('GET', `/api/v1/tasks/${taskId}/diff?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z`);
    expect([status, json.code]).toEqual([400, 'invalid_request']);
  });

  test('of two dates the whole days count, both included', async () => {
    const [first, last] = await Promise.all(
      ['asc', 'desc'].map((order) => admin.events(taskId, `order=${order}`).then(([event]) => event)),
    );
    const days = [first, last].map((event) => event?.timestamp.slice(0, 10));
    expect(await diff(...days)).toEqual(await diff());
    const before = new Date(Date.parse(days[0] ?? '') - 86_400_000).toISOString().slice(0, 10);
    expect(await diff(undefined, before)).toEqual([]);
    expect((await admin.call('GET', `/api/v1/tasks/${taskId}/diff?from=2026-02-30`)).json.errors).toEqual([
      { path: 'from', message: expect.stringContaining('a date such as') },
    ]);
  });

  test('a history is verified as it was written', async () => {
    const events = await admin.events(taskId);
    expect(await admin.data(`/tasks/${taskId}/events/verify`)).toEqual({ valid: true, checked: events.length });
    expect(firstBreak(events, 1, NO_HASH)).toBeUndefined();
  });

  test('exported as JSON Lines it is the same events, as CSV a line for each', async () => {
    const get = (format: string) => admin.call('GET', `/api/v1/tasks/${taskId}/events?format=${format}`);
    const events = await admin.events(taskId);
    const lines = (await get('jsonl')).text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    const csv = (await get('csv')).text.split('\r\n');
    expect(csv[0]).toMatch(/^sequence,eventId,eventType,/);
    expect(csv).toHaveLength(events.length + 2);
    expect(csv[2]).toContain('""triggerReason"":""=1+1""');
  });

  /** With a task that was made before an instant of its calendar. Where a start takes longer, it begins earlier. */
  async function startedBefore(instant: string, id: string): Promise<Running> {
    for (let leadMs = 3_000; ; leadMs *= 4) {
      const running = await start(profile, { BEGINS_AT: new Date(Date.parse(instant) - leadMs).toISOString() }, [
        '--import',
        SHIFTED_CLOCK,
      ]);
      await running.admin.create(id);
      if (String((await running.admin.task(id)).createdAt) < instant || leadMs > 60_000) return running;
      await running.stop();
    }
  }

  test('AC-13 from and to a day give exactly that UTC day, instants exactly what lies between them', async () => {
    const isEmbedded = profile === 'embedded'; // whose clock a test can set: this one crosses midnight
    const id = own('ac-13');
    const two = isEmbedded ? await startedBefore('2026-06-01T00:00:00.000Z', id) : await start(profile);
    try {
      const { admin } = two;
      if (!isEmbedded) await admin.create(id);
      const days = async () => new Set((await admin.events(id)).map(dayOf));
      await eventually(
        'events on both days',
        async () => {
          await admin.run(id, { error: 'again' });
          return !isEmbedded || (await days()).size === 2;
        },
        60_000,
      );
      const events = await admin.events(id);
      for (const day of isEmbedded ? ['2026-05-30', '2026-05-31', '2026-06-01', '2026-06-02'] : await days()) {
        const page = await admin.data<{ events: Event[]; total: number }>(`/tasks/${id}/events?from=${day}&to=${day}&pageSize=1000`);
        const expected = events.filter((event) => dayOf(event) === day);
        expect([day, page.events, page.total]).toEqual([day, expected, expected.length]);
      }
      const [from = '', to = ''] = [events[2]?.timestamp, events.at(-2)?.timestamp];
      const between = await admin.events(id, `from=${from}&to=${to}&pageSize=1000`);
      expect(between).toEqual(events.filter(({ timestamp }) => timestamp >= from && timestamp <= to));
    } finally {
      await two.stop();
    }
  }, 120_000);

  test('the list finds tasks by status, type, owner and criticality, and its cursor walks them all', async () => {
    const type = own('type');
    const ids = Array.from({ length: 7 }, (_, i) => `${type}-${i}`);
    for (const [i, id] of ids.entries()) await admin.create(id, { type, critical: i % 2 === 0 });
    await admin.trigger(ids[0] ?? '');
    const list = async (query: string) =>
      (await admin.data<{ tasks: Task[] }>(`/tasks?type=${type}&${query}`)).tasks.map(({ taskId }) => taskId);
    expect(await list('')).toEqual(ids);
    expect(await list('status=Running')).toEqual([ids[0]]);
    expect(await list('status=Draft&critical=true')).toEqual([ids[2], ids[4], ids[6]]);
    expect(await list('owner=admin&critical=false')).toEqual([ids[1], ids[3], ids[5]]);
    expect(await list('owner=nobody')).toEqual([]);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { tasks: Task[]; pageInfo: JsonObject & { nextCursor: string | null } } = await admin.data(
        `/tasks?type=${type}&pageSize=3&cursor=${cursor}`,
      );
      seen.push(...page.tasks.map(({ taskId }) => taskId));
      cursor = page.pageInfo.nextCursor;
    }
    expect(seen).toEqual(ids);
    expect((await admin.data<{ tasks: Task[] }>(`/tasks?type=${type}`)).tasks[0]).toEqual(await admin.task(ids[0] ?? ''));
  });
});

import { event as eventSchema } from '@retrigger/contract/event-schema.ts';
import { task as taskSchema } from '@retrigger/contract/task-schema.ts';
import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { evolve } from '@retrigger/domain/task/evolve.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

/** Takes a task through everything that can happen to it. */
async function live(admin: Client, taskId: string): Promise<void> {
  await admin.create(`${taskId}-before`);
  await admin.create(taskId, {
    dependencies: [`${taskId}-before`],
    context: { nested: { list: [1, 2.5, null, 'é'] } },
    retry: { jitter: 'none' },
    critical: true,
    deadline: '1h',
  });
  const first = await admin.trigger(taskId, { triggerReason: 'first' });
  await admin.post(`/tasks/${taskId}/trigger`);
  await admin.post(`/executions/${first.executionId}/started`);
  await admin.post(`/executions/${first.executionId}/failed`, { error: 'broken' });
  const second = await admin.trigger(taskId, { context: { other: true } });
  await admin.post(`/executions/${second.executionId}/failed`, { error: 'again', retryable: false });
  const third = await admin.trigger(taskId);
  await admin.post(`/executions/${third.executionId}/completed`, { result: ['done'] });
  await admin.post(`/tasks/${taskId}/cancel`);
}

const fold = (events: Event[]): TaskState => {
  const state = events.reduce<TaskState | undefined>((before, event) => evolve(before, event as TaskEvent), undefined);
  if (state === undefined) throw new Error('no events');
  return state;
};

describe.each(PROFILES)('history, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
    await live(running.admin, own('lived'));
  });
  afterAll(() => running.stop());

  test('AC-15 the state rebuilt from the events is the stored state, at every step of a life', async () => {
    const { admin } = running;
    const events = await admin.events(own('lived'));
    expect(taskView(fold(events))).toEqual(await admin.task(own('lived')));
    const changes = events.filter(({ eventType }) => eventType !== 'CommandRefused');
    for (const [i, event] of changes.entries()) expect(event.previousState).toBe(changes[i - 1]?.newState ?? null);
  });

  test('events and tasks are as the OpenAPI document describes them', async () => {
    const { admin } = running;
    for (const event of await admin.events(own('lived'))) expect(eventSchema.parse(event)).toEqual(event);
    expect(taskSchema.parse(await admin.task(own('lived')))).toEqual(await admin.task(own('lived')));
  });

  test('the chain of hashes holds from the first event to the last', async () => {
    const events = await running.admin.events(own('lived'));
    expect(firstBreak(events, 1, NO_HASH)).toBeUndefined();
    const changed = events.map((event) => (event.sequence === 2 ? { ...event, actor: { id: 'somebody', type: 'user' as const } } : event));
    expect(firstBreak(changed, 1, NO_HASH)?.sequence).toBe(2);
  });

  test('AC-11 sixty events are read in order with total, and a cursor walked while more are added loses and repeats none', async () => {
    const { admin } = running;
    await admin.create(own('ac-11'));
    await admin.trigger(own('ac-11'));
    for (let i = 2; i < 60; i++) await admin.post(`/tasks/${own('ac-11')}/trigger`, { triggerReason: `refused ${i}` });
    const all = await admin.events(own('ac-11'));
    expect(all.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { events: Event[]; total: number; pageInfo: { hasMore: boolean; nextCursor: string | null } } = await admin.data(
        `/tasks/${own('ac-11')}/events?pageSize=7&cursor=${cursor}`,
      );
      if (seen.length < 56) await admin.post(`/tasks/${own('ac-11')}/trigger`);
      seen.push(...page.events.map(({ sequence }) => sequence));
      expect(page.pageInfo.hasMore).toBe(page.pageInfo.nextCursor !== null);
      expect(page.total).toBeGreaterThanOrEqual(60);
      cursor = page.pageInfo.nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(seen.length).toBeGreaterThan(60);
  });

  test('AC-12 filtering by types gives exactly those', async () => {
    const { admin } = running;
    const [all, some] = [await admin.events(own('lived')), await admin.events(own('lived'), 'types=TaskFailed,TaskTriggered')];
    expect(some).toEqual(all.filter(({ eventType }) => ['TaskFailed', 'TaskTriggered'].includes(eventType)));
    expect(some).toHaveLength(5);
  });

  test('AC-14 events can’t be changed: 405 with Allow: GET', async () => {
    const { admin } = running;
    const [{ eventId = '' } = {}] = await admin.events(own('lived'));
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      for (const path of [`/api/v1/tasks/${own('lived')}/events`, `/api/v1/tasks/${own('lived')}/events/${eventId}`]) {
        const { status, headers, json } = await admin.call(method, path, {});
        expect([method, path, status, headers.get('allow'), json.code]).toEqual([method, path, 405, 'GET', 'method_not_allowed']);
      }
    }
    expect((await admin.data<Event>(`/tasks/${own('lived')}/events/${eventId}`)).eventId).toBe(eventId);
  });
});

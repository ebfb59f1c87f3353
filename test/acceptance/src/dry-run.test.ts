import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

type DryRun = { verdict: 'accepted' | 'refused'; answer?: JsonObject; problem?: JsonObject; events: Event[] };

describe.each(PROFILES)('a dry run, %s', (profile) => {
  let running: Running;
  let admin: Client;
  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_TASK_PER_HOUR: '2' });
    admin = running.admin;
  });
  afterAll(() => running.stop());

  const create = async (name: string, more: object = {}) => {
    const taskId = own(name);
    await admin.create(taskId, { ...more });
    return taskId;
  };
  const verdictOf = ({ status, json, text }: Answer): DryRun => {
    if (status !== 200) throw new Error(text);
    return json.data as unknown as DryRun;
  };

  test.each([
    ['trigger', 'POST', { triggerReason: 'why' }, 'TaskTriggered', 'Running'],
    ['reschedule', 'PUT', { strategy: 'delayed', delay: '5m' }, 'TaskRescheduled', 'Scheduled'],
    ['cancel', 'POST', { reason: 'enough' }, 'TaskCancelled', 'Cancelled'],
  ])(
    'of a %s tells the answer and the events that the call then has, and changes nothing',
    async (call, method, body, eventType, newState) => {
      const taskId = await create(`dry-${call}`);
      const before = [await admin.task(taskId), await admin.events(taskId)];
      const path = `/api/v1/tasks/${taskId}/${call}`;
      const dry = verdictOf(await admin.call(method, `${path}?dryRun=true`, body));
      expect(dry).toMatchObject({ verdict: 'accepted', events: [{ eventType, newState, taskId, sequence: 2 }] });
      expect([await admin.task(taskId), await admin.events(taskId)]).toEqual(before);
      const real = await admin.call(method, path, body);
      expect(Object.keys(dry.answer ?? {}).sort()).toEqual(Object.keys(real.json.data).sort());
      const [made, event] = [dry.events[0], (await admin.events(taskId)).at(-1)];
      expect([event?.eventType, event?.newState, Object.keys(event?.metadata ?? {}).sort()]).toEqual([
        made?.eventType,
        made?.newState,
        Object.keys(made?.metadata ?? {}).sort(),
      ]);
    },
  );

  test('of what would be refused tells the problem', async () => {
    const taskId = await create('dry-refused');
    await admin.trigger(taskId);
    const dry = verdictOf(await admin.post(`/tasks/${taskId}/trigger?dryRun=true`, {}));
    expect(dry).toMatchObject({
      verdict: 'refused',
      problem: { status: 409, code: 'task_already_running', title: 'Task is already running' },
    });
    expect(dry.events.map(({ eventType }) => eventType)).toEqual(['CommandRefused']);
    expect(await admin.types(taskId)).toEqual(['TaskCreated', 'TaskTriggered']);
    const unknown = verdictOf(await admin.post(`/tasks/${own('nobody')}/trigger?dryRun=true`, {}));
    expect(unknown).toMatchObject({ verdict: 'refused', problem: { status: 404, code: 'task_not_found' }, events: [] });
  });

  test('judges conditions and walks the graph like the call itself', async () => {
    const first = await create('dry-first');
    const taskId = await create('dry-waiting', { dependencies: [first] });
    const unmet = verdictOf(await admin.post(`/tasks/${taskId}/trigger?dryRun=true`, { conditions: { dependenciesComplete: true } }));
    expect(unmet).toMatchObject({ verdict: 'refused', problem: { code: 'conditions_unmet', conditions: [{ taskId: first, met: false }] } });
    const waits = { strategy: 'conditional', conditions: { dependenciesComplete: [taskId] } };
    const cycle = verdictOf(await admin.reschedule(first, waits, '?dryRun=true'));
    expect(cycle).toMatchObject({
      verdict: 'refused',
      problem: { status: 400, code: 'circular_dependency', cycle: [first, taskId, first] },
    });
    const met = verdictOf(await admin.reschedule(taskId, { ...waits, conditions: { dependenciesComplete: [first] } }, '?dryRun=true'));
    expect(met).toMatchObject({ verdict: 'accepted', answer: { nextExecution: null } });
  });

  test('keeps the 400 of an invalid request', async () => {
    const taskId = await create('dry-invalid');
    const past = await admin.reschedule(taskId, { strategy: 'at', at: '2020-01-01T00:00:00Z' }, '?dryRun=true');
    expect([past.status, past.json.code]).toEqual([400, 'invalid_request']);
    const odd = await admin.post(`/tasks/${taskId}/trigger?dryRun=perhaps`, {});
    expect([odd.status, odd.json.code]).toEqual([400, 'invalid_request']);
  });

  test('costs nothing and leaves nothing under an idempotency key', async () => {
    const taskId = await create('dry-free');
    const key = { 'idempotency-key': 'dry' };
    for (let i = 0; i < 5; i++)
      expect(verdictOf(await admin.post(`/tasks/${taskId}/trigger?dryRun=true`, { triggerReason: `${i}` }, key)).verdict).toBe('accepted');
    const real = await admin.post(`/tasks/${taskId}/trigger`, {}, key);
    expect([real.status, real.headers.get('idempotent-replayed')]).toEqual([202, null]);
    expect((await admin.post(`/tasks/${taskId}/trigger`, {})).status, 'the second of two that the limit allows').toBe(409);
    expect((await admin.post(`/tasks/${taskId}/trigger`, {})).status).toBe(429);
    expect(verdictOf(await admin.post(`/tasks/${taskId}/trigger?dryRun=true`, {})).verdict).toBe('refused');
  });
});

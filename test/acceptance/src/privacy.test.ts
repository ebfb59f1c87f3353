import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { OpenEvent } from '@retrigger/domain/privacy/sealed-form.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { runOf, startTarget } from './target.ts';

const SECRET = 'DE89-3704-0044';

/** A sensitive task that was triggered with a context of its own, failed once, and completed with a result. */
async function live(admin: Client, taskId: string): Promise<void> {
  await admin.create(taskId, { sensitive: true, context: { iban: `${SECRET}-created` } });
  const first = await admin.trigger(taskId, { context: { iban: `${SECRET}-triggered` }, triggerReason: `${SECRET}-why` });
  await admin.post(`/executions/${first.executionId}/failed`, { error: `${SECRET}-broke` });
  await admin.rescheduled(taskId, { strategy: 'delayed', delay: '1h', reason: `${SECRET}-later`, context: { iban: `${SECRET}-again` } });
  const second = await admin.trigger(taskId);
  await admin.post(`/executions/${second.executionId}/completed`, { result: { iban: `${SECRET}-result` } });
}

const PLANTED = ['created', 'triggered', 'why', 'broke', 'later', 'again', 'result'].map((what) => `${SECRET}-${what}`);

describe.each(PROFILES)('privacy, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  const text = async (path: string): Promise<string> => (await running.admin.call('GET', `/api/v1${path}`)).text;
  const erase = (body: JsonObject, headers?: { [name: string]: string }) => running.admin.post('/erasures', body, headers);

  test('a sensitive task reads like any other to whoever may read it', async () => {
    const { admin } = running;
    const id = own('reads');
    await live(admin, id);
    expect(await admin.task(id)).toMatchObject({
      sensitive: true,
      owner: 'admin',
      context: { iban: `${SECRET}-again` },
      lastExecution: { result: { iban: `${SECRET}-result` } },
    });
    const events = await admin.events(id);
    const shown = JSON.stringify(events.map(({ metadata }) => metadata));
    expect(PLANTED.filter((planted) => !shown.includes(planted))).toEqual([]);
    expect(events.every(({ actor }) => actor.id === 'admin')).toBe(true);
    expect(firstBreak(events as OpenEvent[], 1, NO_HASH)).toBeUndefined();
    expect((await admin.events(id, 'actor=admin')).length).toBe(events.length);
    expect((await text(`/tasks/${id}/diff`)).includes(`${SECRET}-again`)).toBe(true);
    expect((await admin.data<{ tasks: JsonObject[] }>('/tasks?owner=admin')).tasks.map(({ taskId }) => taskId)).toContain(id);
  });

  test('a repeat under an idempotency key has the first answer, byte for byte, and another body is told from it', async () => {
    const { admin } = running;
    const body = { taskId: own('repeat'), type: 'job', sensitive: true, context: { iban: SECRET } };
    const headers = { 'idempotency-key': own('repeat') };
    const [first, second] = [await admin.post('/tasks', body, headers), await admin.post('/tasks', body, headers)];
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text]);
    expect(first.text).toContain(SECRET);
    const other = await admin.post('/tasks', { ...body, context: { iban: 'another' } }, headers);
    expect([other.status, other.json.fields]).toEqual([422, ['context']]);
  });

  test('an erased task keeps its events and its chain, shows nothing of what it held, and can be used again', async () => {
    const { admin } = running;
    const id = own('erased');
    await live(admin, id);
    const before = await admin.events(id);
    const { status, json } = await erase({ taskId: id });
    expect([status, json.data]).toMatchObject([202, { subject: 'task', erased: true }]);
    await eventually('nothing is shown any more', async () => !(await text(`/tasks/${id}/events?pageSize=1000`)).includes(SECRET));
    for (const path of [`/tasks/${id}`, `/tasks/${id}/diff`, `/tasks/${id}/events?format=jsonl`, `/tasks/${id}/events?format=csv`])
      expect(await text(path), path).not.toContain(SECRET);
    const events = await admin.events(id);
    expect(events.map(({ hash }) => hash).slice(0, -1)).toEqual(before.map(({ hash }) => hash));
    expect(events.at(-1)).toMatchObject({ eventType: 'DataErased', actor: { id: 'admin' }, metadata: { subject: 'task' } });
    expect(firstBreak(events as OpenEvent[], 1, NO_HASH)).toBeUndefined();
    expect(await admin.data(`/tasks/${id}/events/verify`)).toEqual({ valid: true, checked: events.length });
    expect((await erase({ taskId: id })).json.data).toEqual({ subject: 'task', erased: false });
    await admin.rescheduled(id, { strategy: 'delayed', delay: '1h', context: { iban: 'a new one' } });
    expect((await admin.task(id)).context).toEqual({ iban: 'a new one' });
    expect(await text(`/tasks/${id}/events?pageSize=1000`)).not.toContain(SECRET);
  });

  test('an erasure under an idempotency key has one answer, however often', async () => {
    const id = own('once');
    await running.admin.create(id, { sensitive: true, context: { iban: SECRET } });
    const headers = { 'idempotency-key': own('once') };
    const answers = [await erase({ taskId: id }, headers), await erase({ taskId: id }, headers)];
    expect(answers.map(({ status, json }) => [status, json.data.erased])).toEqual([
      [202, true],
      [202, true],
    ]);
    expect((await running.admin.types(id)).filter((type) => type === 'DataErased')).toHaveLength(1);
  });

  test('what can’t be erased is said', async () => {
    const { admin } = running;
    await admin.create(own('plain'), { context: { iban: SECRET } });
    const plain = await erase({ taskId: own('plain') });
    expect([plain.status, plain.json.errors]).toMatchObject([400, [{ path: 'taskId' }]]);
    expect((await erase({ taskId: own('none') })).json.code).toBe('task_not_found');
    for (const body of [{}, { userId: 'a', taskId: 'b' }, { userId: '' }, { user: 'a' }]) expect((await erase(body)).status).toBe(400);
    expect((await erase({ userId: own('nobody') })).json.data).toEqual({ subject: 'user', erased: false });
  });

  test('a target is told the context, a sensitive result comes back sealed, and a target whose context was erased is not called', async () => {
    const { admin } = running;
    const target = await startTarget(() => ({ status: 200, body: `{"iban":"${SECRET}"}` }));
    try {
      const id = own('called');
      await admin.create(id, { sensitive: true, context: { iban: SECRET }, target: { url: target.url } });
      await admin.trigger(id);
      await admin.becomes(id, 'Completed');
      expect(target.calls.map((call) => runOf(call).context)).toEqual([{ iban: SECRET }]);
      const completed = (await admin.events(id, 'types=TaskCompleted')) as OpenEvent[];
      expect(Object.keys(completed[0]?.sealed ?? {})).toContain('/metadata/result');
      await erase({ taskId: id });
      const error = await runUntilItFails(admin, id);
      const made = target.calls.length;
      expect(error).toMatchObject({ code: 'data_erased' });
      await runUntilItFails(admin, id);
      expect(target.calls).toHaveLength(made);
    } finally {
      await target.stop();
    }
  });

  test('no condition looks inside a sensitive task’s result', async () => {
    const { admin } = running;
    await admin.create(own('inside'), { sensitive: true });
    const conditions = { outcome: { taskId: own('inside'), status: 'Completed', result: { path: '/iban', equals: SECRET } } };
    const { status, json } = await admin.post('/tasks', { type: 'job', schedule: { strategy: 'conditional', conditions } });
    expect([status, json.errors]).toMatchObject([400, [{ path: 'schedule.conditions.outcome.result' }]]);
    await admin.create(own('outside'));
    const outcome = { taskId: own('inside'), status: 'Completed' };
    expect((await admin.reschedule(own('outside'), { strategy: 'conditional', conditions: { outcome } })).status).toBe(200);
  });

  /** Last, because it changes who `admin` is. */
  test('an erased user’s events keep their chain and nobody’s name; the same user comes back as another', async () => {
    const { admin } = running;
    const id = own('theirs');
    await admin.create(id);
    const [before] = await admin.events(id);
    const { status, json } = await erase({ userId: 'admin' });
    expect([status, json.data]).toMatchObject([202, { subject: 'user', erased: true }]);
    await eventually('the name is gone', async () => (await admin.events(id))[0]?.actor.id !== 'admin');
    const [after] = (await admin.events(id)) as [Event];
    const sealed = (before as OpenEvent).sealed?.['/actor/id']?.value;
    expect([after.actor.id, (await admin.task(id)).owner, after.hash]).toEqual([sealed, sealed, before?.hash]);
    expect(await admin.data(`/tasks/${id}/events/verify`)).toEqual({ valid: true, checked: 1 });
    expect(await admin.events(id, `actor=${sealed}`)).toHaveLength(1);
    await admin.trigger(id);
    const triggered = (await admin.events(id))[1] as OpenEvent;
    expect(triggered.actor.id).toBe('admin');
    expect(triggered.sealed?.['/actor/id']?.value).not.toBe(sealed);
    expect((await admin.events(id, 'actor=admin')).map(({ eventType }) => eventType)).toEqual(['TaskTriggered']);
  });
});

/** Runs a task anew until that fails: another process may go on with a key for a few seconds. Tells the error. */
async function runUntilItFails(admin: Client, id: string): Promise<JsonObject> {
  await eventually(`${id} has Failed`, async () => {
    await admin.rescheduled(id, { strategy: 'immediate' });
    await eventually(`${id} has ended`, async () => ['Completed', 'Failed'].includes((await admin.task(id)).status));
    return (await admin.task(id)).status === 'Failed';
  });
  const { lastExecution } = await admin.task(id);
  return (lastExecution as JsonObject).error as JsonObject;
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const TWINS = 60;

describe.each(PROFILES)('idempotency, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_TASK_PER_HOUR: '2' });
  });
  afterAll(() => running.stop());

  test('AC-02 sixty triggers at once under one key are one execution, the same bytes, and one charge', async () => {
    const { admin } = running;
    await admin.create(own('ac-02'));
    const send = () => admin.post(`/tasks/${own('ac-02')}/trigger`, { triggerReason: 'once' }, { 'idempotency-key': 'ac-02' });
    const answers = await Promise.all(Array.from({ length: TWINS }, send));
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get('x-command-id'))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    expect((await admin.events(own('ac-02'))).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
    const later = await send();
    expect([later.status, later.text, later.headers.get('idempotent-replayed')]).toEqual([202, answers[0]?.text, 'true']);
    expect((await admin.post(`/tasks/${own('ac-02')}/trigger`)).status, 'the second of two that the limit allows').toBe(409);
    expect((await admin.post(`/tasks/${own('ac-02')}/trigger`)).status).toBe(429);
    expect((await send()).status, 'a repeat costs nothing').toBe(202);
  });

  test('AC-02 a refusal is repeated as it was, whatever has happened since', async () => {
    const { admin } = running;
    await admin.create(own('ac-02-refused'));
    const { executionId } = await admin.trigger(own('ac-02-refused'));
    const send = () => admin.post(`/tasks/${own('ac-02-refused')}/trigger`, {}, { 'idempotency-key': 'r' });
    const first = await send();
    expect(first.status).toBe(409);
    await admin.post(`/executions/${executionId}/failed`, { error: 'x' });
    const again = await send();
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([409, first.text, 'true']);
    expect(await admin.task(own('ac-02-refused'))).toMatchObject({ status: 'Failed' });
  });

  test('twins that create a task without an id create one', async () => {
    const { admin } = running;
    const send = () => admin.post('/tasks', { type: 'job', target: { url: 'http://127.0.0.1:9/' } }, { 'idempotency-key': own('new') });
    const answers = await Promise.all([send(), send(), send()]);
    expect(new Set(answers.map(({ text, status, headers }) => `${status} ${headers.get('location')} ${text}`)).size).toBe(1);
    expect(answers[0]?.json.data).toMatchObject({ status: 'Draft', target: { secret: expect.stringMatching(/^whsec_/) } });
    const taskId = String(answers[0]?.json.data.taskId);
    expect(JSON.stringify([await admin.task(taskId), await admin.events(taskId)]), 'the secret is shown once').not.toContain('whsec_');
  });

  test('another request under the same key is 422 and names the fields, and nothing happens', async () => {
    const { admin } = running;
    await admin.create(own('ac-02-other'));
    const key = { 'idempotency-key': 'other' };
    await admin.post(`/tasks/${own('ac-02-other')}/cancel`, { reason: 'a' }, key);
    const before = await admin.events(own('ac-02-other'));
    const { status, json } = await admin.post(`/tasks/${own('ac-02-other')}/cancel`, { reason: 'b' }, key);
    expect([status, json.code, json.fields]).toEqual([422, 'idempotency_key_reused', ['reason']]);
    expect(await admin.events(own('ac-02-other'))).toEqual(before);
  });
});

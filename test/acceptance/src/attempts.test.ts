import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { isSigned, runOf, startTarget } from './target.ts';

describe.each(PROFILES)('attempts and deadlines, %s', (profile) => {
  let running: Running;
  let admin: Client;
  let target: Awaited<ReturnType<typeof startTarget>>;
  let broken = new Set<string>();

  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    target = await startTarget((call) => ({ status: broken.has(runOf(call).taskId) ? 500 : 200, body: '{}' }));
  });
  afterAll(async () => {
    await running.stop();
    await target.stop();
  });

  test('a failed attempt is tried again as the policy says, in the same run, and satisfies nobody meanwhile', async () => {
    const [taskId, waiting] = [own('retried'), own('after-failure')];
    await admin.create(taskId, { target: { url: target.url }, retry: { maxAttempts: 3, baseDelay: '300ms', jitter: 'none' } });
    const conditions = { outcome: { taskId, status: 'Failed' } };
    await admin.create(waiting, { schedule: { strategy: 'conditional', conditions } });
    broken = new Set([taskId]);
    await admin.trigger(taskId);
    await admin.becomes(taskId, 'Failed');
    const runs = target.callsFor(taskId).map(runOf);
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
    expect(new Set(runs.map(({ executionId }) => executionId)).size).toBe(3);
    expect((await admin.task(taskId)).retryCount).toBe(3);
    const failures = await admin.events(taskId, 'types=TaskFailed');
    expect(failures.map(({ metadata }) => metadata.willRetry)).toEqual([true, true, false]);
    expect(failures.map(({ newState }) => newState)).toEqual(['Scheduled', 'Scheduled', 'Failed']);
    await admin.becomes(waiting, 'Running');
    const [fired] = await admin.events(waiting, 'types=TaskTriggered');
    expect((fired?.timestamp ?? '') >= (failures[2]?.timestamp ?? '')).toBe(true);
  });

  test('an attempt past its deadline has failed, also when nobody took it; its late report is stale', async () => {
    const taskId = own('overdue');
    await admin.create(taskId, { deadline: '700ms' });
    const { executionId } = await admin.trigger(taskId);
    await admin.becomes(taskId, 'Failed');
    expect(await admin.task(taskId)).toMatchObject({ lastExecution: { executionId, error: { code: 'deadline_exceeded' } } });
    const late = await admin.post(`/executions/${executionId}/completed`, {});
    expect([late.status, late.json.code]).toEqual([409, 'stale_execution']);
  });

  test('a patched target is called from then on, signed with the secret that the patch returned, once', async () => {
    const taskId = own('patched');
    const created = await admin.create(taskId, { target: { url: 'http://127.0.0.1:9/none' } });
    const key = { 'idempotency-key': 'patch' };
    const patched = await admin.patch(taskId, { target: { url: target.url }, dependencies: [] }, key);
    const { secret } = patched.json.data.target as { secret: string };
    expect(secret).toMatch(/^whsec_/);
    expect(secret).not.toBe((created.target as { secret: string }).secret);
    expect((await admin.patch(taskId, { target: { url: target.url }, dependencies: [] }, key)).text).toBe(patched.text);
    expect((await admin.patch(taskId, { critical: true })).json.data.target, 'another patch does not show it').toEqual({ url: target.url });
    expect((await admin.task(taskId)).target).toEqual({ url: target.url });
    await admin.trigger(taskId);
    await eventually('it was called', async () => target.callsFor(taskId).length === 1);
    const [call] = target.callsFor(taskId);
    expect(call && isSigned(call, secret)).toBe(true);
  });

  test('a patch takes away what is null and leaves what is absent', async () => {
    const taskId = own('patched-away');
    await admin.create(taskId, { deadline: '1h', estimatedDuration: '5m', context: { a: 1 }, retry: { maxAttempts: 3, baseDelay: '2s' } });
    const { json } = await admin.patch(taskId, { deadline: null, retry: { baseDelay: '9s' }, onMissed: 'skip' });
    expect(json.data).toMatchObject({
      estimatedDuration: '5m',
      context: { a: 1 },
      retry: { maxAttempts: 3, baseDelay: '9s' },
      onMissed: 'skip',
    });
    expect(json.data.deadline).toBeUndefined();
    expect((await admin.events(taskId)).at(-1)).toMatchObject({ eventType: 'TaskChanged', previousState: 'Draft', newState: 'Draft' });
  });
});

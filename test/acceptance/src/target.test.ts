import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { isSigned, startTarget } from './target.ts';

describe.each(PROFILES)('a task with an HTTP target, %s', (profile) => {
  let running: Running;
  let target: Awaited<ReturnType<typeof startTarget>>;
  let reply: { status: number; body?: string };

  beforeAll(async () => {
    running = await start(profile);
    target = await startTarget(() => reply);
  });
  afterAll(async () => {
    await running.stop();
    await target.stop();
  });

  const run = async (taskId: string, more: object = {}) => {
    const { admin } = running;
    target.calls.length = 0;
    const task = await admin.create(taskId, { target: { url: target.url, ...more }, context: { version: 7 } });
    const { secret } = task.target as { secret: string };
    return { secret, ...(await admin.trigger(taskId)) };
  };
  const becomes = (taskId: string, status: string) =>
    eventually(`${taskId} is ${status}`, async () => (await running.admin.task(taskId)).status === status);

  test('a trigger calls it once, signed with the secret that creating it returned; its answer is the result', async () => {
    reply = { status: 200, body: '{"answer":42}' };
    const { secret, executionId, runId } = await run(own('called'), { method: 'PUT', headers: { 'x-team': 'blue' } });
    await becomes(own('called'), 'Completed');
    expect(target.calls).toHaveLength(1);
    const [call] = target.calls;
    if (call === undefined) throw new Error('no call');
    expect([call.method, call.headers['content-type'], call.headers['x-team']]).toEqual(['PUT', 'application/json', 'blue']);
    expect(JSON.parse(call.body)).toEqual({ executionId, runId, taskId: own('called'), attempt: 1, context: { version: 7 } });
    expect(isSigned(call, secret)).toBe(true);
    expect(isSigned({ ...call, body: call.body.replace('7', '8') }, secret)).toBe(false);
    expect(await running.admin.task(own('called'))).toMatchObject({ lastExecution: { executionId, result: { answer: 42 } } });
  });

  test('an error of the target fails the execution', async () => {
    reply = { status: 500, body: 'broken' };
    await run(own('failing'));
    await becomes(own('failing'), 'Failed');
    const task = await running.admin.task(own('failing'));
    expect(task.lastExecution).toMatchObject({
      status: 'Failed',
      error: { code: expect.any(String), message: expect.stringContaining('500') },
    });
  });

  test('202 means that it reports itself', async () => {
    reply = { status: 202 };
    const { executionId } = await run(own('itself'));
    await eventually('the call has come', async () => target.calls.length === 1);
    expect((await running.admin.post(`/executions/${executionId}/completed`, { result: 'later' })).status).toBe(200);
    expect(await running.admin.task(own('itself'))).toMatchObject({ status: 'Completed', lastExecution: { result: 'later' } });
  });
});

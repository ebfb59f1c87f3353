import { triggered } from '@retrigger/contract/task-schema.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

describe.each(PROFILES)('triggering, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  test('AC-01 a trigger answers 202 with executionId and estimatedCompletion, the task is Running, and one TaskTriggered is stored', async () => {
    const { admin } = running;
    await admin.create(own('ac-01'), { estimatedDuration: '5m', context: { version: 1 } });
    const before = Date.now();
    const { status, json, headers } = await admin.post(`/tasks/${own('ac-01')}/trigger`, { triggerReason: 'release' });
    expect(status).toBe(202);
    const answer = triggered.parse(json.data);
    expect(json).toEqual({ status: 202, data: { ...answer, taskId: own('ac-01'), message: 'Task triggered' } });
    expect(headers.get('x-command-id')).toMatch(/^[A-Za-z0-9._~:@-]{1,128}$/);
    expect(Math.abs(Date.parse(answer.estimatedCompletion) - (before + 300_000))).toBeLessThan(10_000);
    expect(await admin.task(own('ac-01'))).toMatchObject({
      status: 'Running',
      execution: { executionId: answer.executionId, runId: answer.runId, attempt: 1, context: { version: 1 } },
    });
    expect((await admin.events(own('ac-01'))).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
  });

  test('AC-01 it is possible again after a failure, and its context overrides the task’s own', async () => {
    const { admin } = running;
    await admin.create(own('ac-01-again'), { context: { from: 'task' } });
    const first = await admin.trigger(own('ac-01-again'));
    expect((await admin.post(`/executions/${first.executionId}/failed`, { error: 'no disk' })).status).toBe(200);
    expect(await admin.task(own('ac-01-again'))).toMatchObject({
      status: 'Failed',
      retryCount: 1,
      lastExecution: { error: { message: 'no disk' } },
    });
    const second = await admin.trigger(own('ac-01-again'), { context: { from: 'trigger' } });
    expect(second.executionId).not.toBe(first.executionId);
    expect(await admin.task(own('ac-01-again'))).toMatchObject({ execution: { context: { from: 'trigger' } }, context: { from: 'task' } });
  });

  test('AC-03 a trigger of a Running task is 409 "Task is already running", and the refusal is in the history', async () => {
    const { admin } = running;
    await admin.create(own('ac-03'));
    const { executionId } = await admin.trigger(own('ac-03'));
    const before = await admin.task(own('ac-03'));
    const { status, json, headers } = await admin.post(`/tasks/${own('ac-03')}/trigger`, { triggerReason: 'again' });
    expect(status).toBe(409);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json).toMatchObject({
      status: 409,
      code: 'task_already_running',
      title: 'Task is already running',
      instance: `/api/v1/commands/${headers.get('x-command-id')}`,
    });
    expect(await admin.task(own('ac-03'))).toEqual(before);
    expect(before).toMatchObject({ status: 'Running', execution: { executionId } });
    expect((await admin.events(own('ac-03'))).at(-1)).toMatchObject({
      eventType: 'CommandRefused',
      sequence: 3,
      previousState: 'Running',
      newState: 'Running',
      metadata: { command: 'TriggerTask', code: 'task_already_running', title: 'Task is already running' },
    });
  });

  test('AC-05 TaskTriggered carries timestamp, taskId, actor, triggerReason and both states', async () => {
    const { admin } = running;
    await admin.create(own('ac-05'));
    const { executionId, runId } = await admin.trigger(own('ac-05'), { triggerReason: 'nightly', context: { a: 1 } });
    const [triggeredEvent] = await admin.events(own('ac-05'), 'types=TaskTriggered');
    expect(triggeredEvent).toMatchObject({
      eventType: 'TaskTriggered',
      taskId: own('ac-05'),
      tenantId: 'default',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      actor: { id: 'admin', type: 'user' },
      previousState: 'Draft',
      newState: 'Running',
      metadata: { executionId, runId, attempt: 1, triggerReason: 'nightly', context: { a: 1 } },
    });
  });

  test('a task that does not exist can’t be triggered', async () => {
    const { status, json } = await running.admin.post(`/tasks/${own('nowhere')}/trigger`);
    expect([status, json.code]).toEqual([404, 'task_not_found']);
  });

  test('an execution is reported: started, heartbeat, completed; the same report again is the same, a stale one is told to stop', async () => {
    const { admin } = running;
    await admin.create(own('reported'), { deadline: '1h' });
    const { executionId } = await admin.trigger(own('reported'));
    const report = (what: string, body: object = {}) => admin.post(`/executions/${executionId}/${what}`, body);
    for (const what of ['started', 'started', 'heartbeat']) {
      const { status, json } = await report(what);
      expect([what, status, json.data]).toEqual([what, 200, { deadlineAt: expect.any(String), heartbeatTimeout: '60s' }]);
    }
    expect((await report('completed', { result: { total: 5 } })).status).toBe(200);
    expect((await report('completed', { result: { total: 5 } })).status).toBe(200);
    expect(await admin.task(own('reported'))).toMatchObject({ status: 'Completed', lastExecution: { executionId, result: { total: 5 } } });
    const { status, json } = await report('failed', { error: 'too late' });
    expect([status, json.code]).toEqual([409, 'stale_execution']);
    const types = (await admin.events(own('reported'))).map(({ eventType }) => eventType);
    expect(types).toEqual(['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted', 'CommandRefused']);
  });

  test('a Running task is cancelled, and its execution is then stale', async () => {
    const { admin } = running;
    await admin.create(own('cancelled'));
    const { executionId } = await admin.trigger(own('cancelled'));
    const { status, json } = await admin.post(`/tasks/${own('cancelled')}/cancel`, { reason: 'not needed' });
    expect([status, json.data.status]).toEqual([200, 'Cancelled']);
    expect((await admin.post(`/executions/${executionId}/completed`)).json.code).toBe('stale_execution');
    expect((await admin.post(`/tasks/${own('cancelled')}/cancel`)).json.code).toBe('invalid_state');
  });
});

import { verify } from '@retrigger/delivery/standard-webhooks.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { expect, test } from 'vitest';
import { eventually, isOver, target, world } from './harness.ts';
import { secrets, TENANT, type World } from './world.ts';

test('a triggered task is called at its target, signed with its secret, and the answer is reported as its result', async () => {
  const server = await target((response) => response.end('{"version":7}'));
  const executionId = world.trigger('task-1', { url: server.url, headers: { 'x-team': 'blue' } }, '1m');
  await world.dispatch();
  await isOver();
  const [call] = server.calls;
  expect(verify(secrets.derive('target', TENANT, 'task-1', 1), call?.headers ?? {}, call?.body ?? '', Date.now())).toEqual({
    kind: 'valid',
  });
  expect(call?.headers).toMatchObject({ 'webhook-id': executionId, 'x-team': 'blue' });
  const { execution } = world.snapshot('task-1')?.state ?? {};
  expect(JSON.parse(call?.body ?? '')).toEqual({
    executionId,
    runId: execution?.runId,
    taskId: 'task-1',
    attempt: 1,
    context: { of: 'task-1' },
    deadlineAt: new Date(Date.parse(execution?.triggeredAt ?? '') + 60_000).toISOString(),
  });
  expect(world.reports()).toMatchObject([
    { type: 'StartExecution', body: { executionId } },
    { type: 'CompleteExecution', body: { executionId, result: { version: 7 } } },
  ]);
  for (const report of world.reports()) {
    expect(report).toMatchObject({
      tenantId: TENANT,
      taskId: 'task-1',
      actor: { id: 'dispatcher', type: 'executor' },
      roles: [],
      correlationId: 'about-task-1',
    });
    expect(report).not.toHaveProperty('fingerprint');
    expect(report).not.toHaveProperty('replyTo');
  }
  world.settle();
  expect(world.snapshot('task-1')?.status).toBe('Completed');
});

test('a target that fails fails the execution, with a code and whether another attempt is worth it', async () => {
  const server = await target((response) => response.writeHead(503).end());
  const executionId = world.trigger('task-1', { url: server.url });
  await world.dispatch();
  await isOver();
  expect(world.reports().at(-1)).toMatchObject({
    type: 'FailExecution',
    body: { executionId, error: { code: 'target_status', message: 'The target answered 503' }, retryable: true },
  });
});

test('a target on a private address fails the execution unless private targets are allowed', async () => {
  const server = await target((response) => response.end());
  world.trigger('task-1', { url: server.url });
  world.trigger('task-2', { url: server.url.replace('127.0.0.1', 'localhost') });
  await world.dispatch({ allowPrivateTargets: false });
  await isOver();
  for (const taskId of ['task-1', 'task-2']) {
    expect(world.reports(taskId).at(-1)).toMatchObject({ body: { error: { code: 'target_refused_address' }, retryable: false } });
  }
  expect(server.calls).toEqual([]);
});

test("the task's own time-out bounds the call", async () => {
  const server = await target();
  world.trigger('task-1', { url: server.url, timeout: '50ms' });
  await world.dispatch();
  await isOver();
  expect(world.reports().at(-1)).toMatchObject({ body: { error: { code: 'target_timeout' } } });
});

test('heartbeats are sent while a call runs, and none after it', async () => {
  const server = await target();
  const beats = (taskId: string) => world.reportTypes(taskId).filter((type) => type === 'HeartbeatExecution').length;
  world.trigger('task-1', { url: server.url });
  await world.dispatch({ heartbeatEveryMs: 10 });
  await eventually(() => expect(beats('task-1')).toBeGreaterThan(1));
  server.release();
  await isOver();
  world.trigger('task-2', { url: server.url });
  await eventually(() => expect(beats('task-2')).toBeGreaterThan(3));
  const types = world.reportTypes('task-1');
  expect([types[0], types.at(-1)]).toEqual(['StartExecution', 'CompleteExecution']);
  expect(types).toHaveLength(beats('task-1') + 2);
  expect(new Set(world.reports().map(({ commandId }) => commandId)).size).toBe(world.reports().length);
});

test('202 leaves the outcome to the target and lets the offset pass', async () => {
  const server = await target((response) => response.writeHead(202).end());
  world.trigger('task-1', { url: server.url });
  await world.dispatch();
  await isOver();
  expect(world.reportTypes('task-1')).toEqual(['StartExecution']);
});

test('a task without a target is left to whoever claims it', async () => {
  world.trigger('task-1');
  await world.dispatch();
  await isOver();
  expect(world.reports()).toEqual([]);
});

test('a target that comes after the trigger is not called: its execution is the executors’ (T9)', async () => {
  const server = await target((response) => response.end('{}'));
  world.trigger('task-1');
  world.decide('task-1', { type: 'ChangeTask', body: { target: { url: server.url } } });
  await world.dispatch();
  await isOver();
  expect([world.reports(), server.calls]).toEqual([[], []]);
});

test('X1: an execution that ended, was cancelled or was followed by another is not called when its event comes again', async () => {
  const server = await target((response) => response.end());
  world.trigger('cancelled', { url: server.url });
  world.decide('cancelled', { type: 'CancelTask', body: {} });
  const ended = world.trigger('ended', { url: server.url });
  world.decide('ended', { type: 'CompleteExecution', body: { executionId: ended } });
  const first = world.trigger('twice', { url: server.url });
  world.decide('twice', { type: 'FailExecution', body: { executionId: first, error: { code: 'x', message: 'x' } } });
  const second = world.trigger('twice');
  await world.dispatch();
  await isOver();
  expect(server.executionIds()).toEqual([second]);
});

test('an event that can not be read goes to the dead letters as it came, and the next one is called', async () => {
  const server = await target((response) => response.end('{}'));
  const value = Buffer.from([0x7b, 0xff, 0x00]);
  world.storage.add(TOPICS.events, [{ key: 'acme/odd', value, headers: { eventType: 'TaskTriggered', commandId: 'c' } }]);
  world.trigger('task-1', { url: server.url });
  await world.dispatch();
  await isOver();
  expect(server.calls).toHaveLength(1);
  const [dead, ...more] = world.storage.records(TOPICS.deadLetters);
  expect(more).toEqual([]);
  expect(dead).toMatchObject({
    key: 'acme/odd',
    headers: {
      reason: 'the value is not valid UTF-8',
      'source-topic': TOPICS.events,
      'source-partition': '0',
      'source-offset': '0',
      commandId: 'c',
    },
  });
  expect(dead?.value).toEqual(value);
});

test('the trace of the trigger goes on through the call and its reports', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const server = await target((response) => response.end('{}'));
  world.decide('task-1', { type: 'CreateTask', body: { type: 'deploy', target: { url: server.url } } });
  world.decide('task-1', { type: 'TriggerTask', body: {}, traceparent } as Parameters<World['decide']>[1]);
  await world.dispatch();
  await isOver();
  expect(server.calls[0]?.headers.traceparent).toBe(traceparent);
  expect(world.reports().map((report) => report.traceparent)).toEqual([traceparent, traceparent]);
});

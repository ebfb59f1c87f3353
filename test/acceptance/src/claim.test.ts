import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client, Headed } from './client.ts';
import { own } from './own.ts';
import { KEY, PROFILES, type Running, start } from './profile.ts';

type Execution = JsonObject & { executionId: string; taskId: string };

describe.each(PROFILES)('claiming executions, %s', (profile) => {
  let running: Running;
  let admin: Client;
  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
  });
  afterAll(() => running.stop());

  const claim = (body: JsonObject, headers?: Headed): Promise<Answer> =>
    admin.post('/executions/claim', body, { prefer: 'wait=60', ...headers });
  const claimed = async (body: JsonObject): Promise<Execution> => {
    const { status, json, text } = await claim(body);
    if (status !== 200) throw new Error(`the claim was answered with ${status} ${text}`);
    return json.data as Execution;
  };
  const report = (executionId: string, what: string, body: JsonObject = {}) =>
    admin.post(`/executions/${executionId}/${what}`, body, { prefer: 'wait=60' });
  /** Tasks of a type of their own that run and wait to be claimed. */
  const waiting = async (type: string, count: number, more: JsonObject = {}) => {
    const ids = Array.from({ length: count }, (_, i) => `${type}-${i}`);
    await Promise.all(ids.map((taskId) => admin.create(taskId, { type, ...more })));
    const triggered = await Promise.all(ids.map((taskId) => admin.trigger(taskId)));
    await Promise.all(ids.map((taskId) => admin.becomes(taskId, 'Running')));
    return triggered;
  };

  test('gives all that is needed to run it; its report ends the task; then there is nothing more', async () => {
    const type = own('single');
    const [triggered] = await waiting(type, 1, { context: { version: 7 }, deadline: '1h' });
    const answer = await claim({ types: [own('other'), type] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-command-id')).toMatch(/./);
    expect(answer.json).toEqual({
      status: 200,
      data: {
        ...{ executionId: triggered?.executionId, runId: triggered?.runId, taskId: `${type}-0`, type, attempt: 1, context: { version: 7 } },
        deadlineAt: expect.stringMatching(/^\d{4}-.*Z$/),
        heartbeatTimeout: '60s',
      },
    });
    const { executionId, deadlineAt } = answer.json.data as Execution;
    const started = (await admin.events(`${type}-0`, 'types=TaskStarted'))[0];
    expect(started).toMatchObject({ actor: { id: 'admin', type: 'executor' }, metadata: { executionId, taken: true } });
    const beat = await report(executionId, 'heartbeat');
    expect([beat.status, beat.json.data]).toEqual([200, { deadlineAt, heartbeatTimeout: '60s' }]);
    expect((await report(executionId, 'completed', { result: 'done' })).status).toBe(200);
    expect(await admin.task(`${type}-0`)).toMatchObject({ status: 'Completed', lastExecution: { executionId, result: 'done' } });
    const nothing = await claim({ types: [type] });
    expect([nothing.status, nothing.text]).toEqual([204, '']);
    expect(nothing.headers.get('x-request-id')).toMatch(/./);
  });

  test('with max it gives a list of at most so many, and an empty-handed claim waits for the next', async () => {
    const type = own('several');
    const all = await waiting(type, 5);
    const lists = [await claim({ types: [type], max: 3 }), await claim({ types: [type], max: 3 })].map(
      ({ json }) => json.data as unknown as Execution[],
    );
    expect(lists.map((list) => list.length)).toEqual([3, 2]);
    expect(
      lists
        .flat()
        .map(({ executionId }) => executionId)
        .toSorted(),
    ).toEqual(all.map(({ executionId }) => executionId).toSorted());
    const long = claim({ types: [type], wait: '20s', max: 1 });
    const begun = performance.now();
    await admin.create(`${type}-late`, { type });
    const { executionId } = await admin.trigger(`${type}-late`);
    const { json } = await long;
    expect(json.data).toMatchObject([{ executionId }]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('a claim that finds nothing waits as long as it said', async () => {
    const begun = performance.now();
    expect((await claim({ types: [own('none')], wait: '400ms' })).status).toBe(204);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(390);
  });

  test('of many claims at once each execution goes to one, and all are run exactly once', async () => {
    const type = own('crowd');
    const count = 60;
    await Promise.all(Array.from({ length: count }, (_, i) => admin.create(`${type}-${i}`, { type })));
    const got: string[] = [];
    const worker = async (max?: number) => {
      while (got.length < count) {
        const { status, json } = await claim({ types: [type], wait: '1s', ...(max === undefined ? {} : { max }) });
        if (status === 204) continue;
        for (const { executionId } of [json.data].flat() as Execution[]) {
          got.push(executionId);
          expect((await report(executionId, 'completed')).status).toBe(200);
        }
      }
    };
    const workers = [worker(), worker(), worker(4), worker(), worker(10), worker()];
    const triggered = await Promise.all(Array.from({ length: count }, (_, i) => admin.trigger(`${type}-${i}`)));
    await Promise.all(workers);
    expect(got.toSorted()).toEqual(triggered.map(({ executionId }) => executionId).toSorted());
    for (const taskId of [`${type}-0`, `${type}-${count - 1}`])
      expect(await admin.types(taskId)).toEqual(['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted']);
  });

  test('the same claim again gives the same executions, byte for byte, also when both come at once', async () => {
    const type = own('again');
    await waiting(type, 6);
    for (const body of [{ types: [type] }, { types: [type], max: 2 }]) {
      const key = { 'idempotency-key': `claim-${Object.keys(body).length}` };
      const twins = await Promise.all([claim(body, key), claim(body, key)]);
      const later = await claim(body, key);
      expect([...twins, later].map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(new Set([...twins, later].map(({ text }) => text)).size).toBe(1);
      expect(twins.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
      expect(later.headers.get('idempotent-replayed')).toBe('true');
      const other = await claim({ ...body, wait: '1s' }, key);
      expect([other.status, other.json.code, other.json.fields]).toEqual([422, 'idempotency_key_reused', ['wait']]);
      const commandId = later.headers.get('x-command-id');
      expect(await admin.data(`/commands/${commandId}`)).toEqual({
        commandId,
        state: 'accepted',
        outcome: { status: 200, body: later.json },
      });
    }
    expect((await claim({ types: [type], max: 100 })).json.data).toHaveLength(3);
  });

  test('an empty answer binds nothing: the same key finds what came later', async () => {
    const type = own('later');
    const key = { 'idempotency-key': 'patient' };
    expect((await claim({ types: [type] }, key)).status).toBe(204);
    const [triggered] = await waiting(type, 1);
    expect((await claim({ types: [type] }, key)).json.data).toMatchObject({ executionId: triggered?.executionId });
  });

  test('what a sensitive task was given is opened for whoever claims it, also in a repeat', async () => {
    const type = own('sensitive');
    await waiting(type, 1, { sensitive: true, context: { patient: 'Ada' } });
    const key = { 'idempotency-key': 'sensitive' };
    const [first, again] = [await claim({ types: [type] }, key), await claim({ types: [type] }, key)];
    expect(first.json.data).toMatchObject({ context: { patient: 'Ada' } });
    expect(again.text).toBe(first.text);
    expect((await admin.task(`${type}-0`)).execution).toMatchObject({ executor: 'admin' });
  });

  test('what was erased is given to nobody: the execution fails', async () => {
    const type = own('erased');
    await waiting(type, 1, { sensitive: true, context: { patient: 'Ada' } });
    expect((await admin.post('/erasures', { taskId: `${type}-0` }, { prefer: 'wait=60' })).status).toBe(202);
    const isForgotten = async () => !JSON.stringify(await admin.task(`${type}-0`)).includes('Ada');
    await eventually('the gateway has forgotten the key', isForgotten, 30_000);
    expect((await claim({ types: [type] })).status).toBe(204);
    await admin.becomes(`${type}-0`, 'Failed');
    expect(await admin.task(`${type}-0`)).toMatchObject({ lastExecution: { error: { code: 'data_erased' } } });
  });

  test('a task with a target can not be claimed', async () => {
    const type = own('target');
    await waiting(type, 1, { target: { url: 'http://127.0.0.1:9/nobody', timeout: '1d' }, retry: { maxAttempts: 5, baseDelay: '1h' } });
    expect((await claim({ types: [type] })).status).toBe(204);
  });

  test('an execution that is reported by nobody until its deadline fails, is tried again by policy, and can be claimed anew', async () => {
    const type = own('overdue');
    await admin.create(`${type}-0`, { type, deadline: '2s', retry: { maxAttempts: 2, baseDelay: '10ms', jitter: 'none' } });
    const soon = claimed({ types: [type], wait: '20s' });
    await admin.trigger(`${type}-0`);
    const first = await soon;
    const second = await claimed({ types: [type], wait: '20s' });
    expect(second).toMatchObject({ taskId: `${type}-0`, attempt: 2, runId: first.runId });
    expect(second.executionId).not.toBe(first.executionId);
    const late = await report(first.executionId, 'completed');
    expect([late.status, late.json.code]).toEqual([409, 'stale_execution']);
    const [failure] = await admin.events(`${type}-0`, 'types=TaskFailed');
    expect(failure?.metadata).toMatchObject({ error: { code: 'deadline_exceeded' }, willRetry: true, attempt: 1 });
  });

  test('one that was cancelled is not given, and a claimed one that is cancelled is stale', async () => {
    const type = own('cancelled');
    await waiting(type, 2);
    await admin.post(`/tasks/${type}-0/cancel`, {});
    const { taskId, executionId } = await claimed({ types: [type] });
    expect(taskId).toBe(`${type}-1`);
    await admin.post(`/tasks/${taskId}/cancel`, {});
    const beat = await report(executionId, 'heartbeat');
    expect([beat.status, beat.json.code, beat.json.detail]).toEqual([409, 'stale_execution', expect.stringContaining('cancelled')]);
    expect((await claim({ types: [type] })).status).toBe(204);
  });

  test('a claimer that hangs up is given nothing', async () => {
    const type = own('hung-up');
    const hanging = new AbortController();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
    const body = JSON.stringify({ types: [type], wait: '20s' });
    const call = fetch(`${running.url}/api/v1/executions/claim`, { method: 'POST', headers, body, signal: hanging.signal });
    const other = claim({ types: [type], wait: '200ms' }); // when this one has waited, the first has long been waiting
    expect((await other).status).toBe(204);
    hanging.abort();
    await expect(call).rejects.toThrow();
    const [triggered] = await waiting(type, 1);
    expect(await claimed({ types: [type], wait: '20s' })).toMatchObject({ executionId: triggered?.executionId });
  });

  test.each<[JsonObject, string]>([
    [{}, 'types'],
    [{ types: [] }, 'types'],
    [{ types: ['a', 'a'] }, 'types'],
    [{ types: ['no type'] }, 'types[0]'],
    [{ types: ['a'], wait: '31s' }, 'wait'],
    [{ types: ['a'], wait: 5 }, 'wait'],
    [{ types: ['a'], max: 0 }, 'max'],
    [{ types: ['a'], max: 101 }, 'max'],
    [{ types: ['a'], more: 1 }, 'more'],
  ])('%j is refused, and what is wrong is named', async (body, path) => {
    const { status, json } = await claim(body);
    expect([status, json.code, (json.errors as { path: string }[])[0]?.path]).toEqual([400, 'invalid_request', path]);
  });
});

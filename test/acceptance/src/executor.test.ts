import { type Client as ApiClient, createClient } from '@retrigger/client/client.ts';
import { createExecutor, type Executor } from '@retrigger/client/executor.ts';
import type { Run } from '@retrigger/client/run-execution.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { KEY, PROFILES, type Running, start } from './profile.ts';

describe.each(PROFILES)('tasks that executors run, %s', (profile) => {
  let running: Running;
  let admin: Client;
  let client: ApiClient;
  const executors: Executor[] = [];
  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    client = createClient({ url: running.url, key: KEY });
  });
  afterAll(() => running.stop());
  afterEach(async () => {
    await Promise.all(executors.splice(0).map((executor) => executor.stop()));
  });

  const execute = (type: string, run: Run, concurrency = 1): Executor => {
    const executor = createExecutor({ client, types: [type], run, concurrency, heartbeatEveryMs: 200 });
    executors.push(executor);
    return executor;
  };
  const after = (taskId: string, more: JsonObject = {}) => ({
    schedule: { strategy: 'conditional', conditions: { outcome: { taskId, status: 'Completed', ...more } } },
  });

  test('AC-25 five tasks in a chain are run in order by an executor, after one trigger', async () => {
    const type = own('chain');
    const steps = Array.from({ length: 5 }, (_, n) => `${type}-${n}`);
    for (const [n, taskId] of steps.entries()) await admin.create(taskId, { type, ...(n === 0 ? {} : after(steps[n - 1] ?? '')) });
    const ran: string[] = [];
    execute(type, async ({ taskId }) => void ran.push(taskId), 3);
    await admin.trigger(steps[0] ?? '');
    await admin.becomes(steps[4] ?? '', 'Completed', 45_000);
    expect(ran).toEqual(steps);
  });

  test('AC-26 the branch that fits the result of an executor’s run is run, the others are not', async () => {
    const type = own('branch');
    const [root, good, bad, failed] = ['root', 'good', 'bad', 'failed'].map((name) => `${type}-${name}`) as [
      string,
      string,
      string,
      string,
    ];
    await admin.create(root, { type });
    await admin.create(good, { type, ...after(root, { result: { path: '/verdict', equals: 'good' } }) });
    await admin.create(bad, { type, ...after(root, { result: { path: '/verdict', equals: 'bad' } }) });
    const onFailure = { strategy: 'conditional', conditions: { outcome: { taskId: root, status: 'Failed' } } };
    await admin.create(failed, { type, schedule: onFailure });
    let verdict: string | null = 'good';
    execute(type, async ({ taskId }) => {
      if (taskId === root && verdict === null) throw new Error('it broke');
      return { verdict };
    });
    await admin.trigger(root);
    await admin.becomes(good, 'Completed', 20_000);
    expect([(await admin.task(bad)).status, (await admin.task(failed)).status]).toEqual(['Scheduled', 'Scheduled']);
    verdict = null;
    await admin.rescheduled(root, { strategy: 'immediate' });
    await admin.becomes(failed, 'Completed', 20_000);
    expect((await admin.task(bad)).status).toBe('Scheduled');
  });

  test('several executors share the work: each execution is run once, however many there are', async () => {
    const type = own('shared');
    const ids = Array.from({ length: 40 }, (_, n) => `${type}-${n}`);
    await Promise.all(ids.map((taskId) => admin.create(taskId, { type })));
    const ran: string[] = [];
    for (let n = 0; n < 3; n++) execute(type, async ({ executionId }) => void ran.push(executionId), 5);
    const triggered = await Promise.all(ids.map((taskId) => admin.trigger(taskId)));
    await eventually(
      'all are Completed',
      async () => (await Promise.all(ids.map((id) => admin.task(id)))).every(({ status }) => status === 'Completed'),
      30_000,
    );
    expect(ran.toSorted()).toEqual(triggered.map(({ executionId }) => executionId).toSorted());
  });

  test.each<[string, (taskId: string) => Promise<unknown>]>([
    ['cancelled', (taskId) => admin.post(`/tasks/${taskId}/cancel`, {})],
    ['rescheduled with force', (taskId) => admin.reschedule(taskId, { strategy: 'delayed', delay: '1h', force: true })],
  ])('a run is told when its task is %s, and what it still says is not taken', async (how, end) => {
    const type = own(how.replaceAll(' ', '-'));
    await admin.create(type, { type });
    let told: Error | undefined;
    execute(type, async (_, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      told = signal.reason;
    });
    await admin.trigger(type);
    await eventually('it runs', async () => (await admin.types(type)).includes('TaskStarted'));
    await end(type);
    await eventually('the run is told', async () => told !== undefined);
    await Promise.all(executors.splice(0).map((executor) => executor.stop()));
    expect((await admin.types(type)).filter((one) => /Completed|Failed/.test(one))).toEqual([]);
  });

  test('a run past its deadline is told, and tried again by policy', async () => {
    const type = own('overdue');
    await admin.create(type, { type, deadline: '500ms', retry: { maxAttempts: 2, baseDelay: '10ms' } });
    const attempts: number[] = [];
    execute(type, async ({ attempt }, signal) => {
      attempts.push(attempt);
      if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    await admin.trigger(type);
    await admin.becomes(type, 'Completed');
    expect(attempts).toEqual([1, 2]);
  });

  test('an executor that stops ends what it runs and leaves the rest to others', async () => {
    const type = own('drain');
    await admin.create(`${type}-1`, { type });
    await admin.create(`${type}-2`, { type });
    const finished = Promise.withResolvers<void>();
    const first = execute(type, () => finished.promise);
    await admin.trigger(`${type}-1`);
    await eventually('it runs', async () => first.running === 1);
    const stopped = first.stop();
    await admin.trigger(`${type}-2`);
    finished.resolve();
    await stopped;
    expect((await admin.task(`${type}-1`)).status).toBe('Completed');
    expect((await admin.task(`${type}-2`)).status).toBe('Running');
    execute(type, async () => 'taken over');
    await admin.becomes(`${type}-2`, 'Completed');
  });
});

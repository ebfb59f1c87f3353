import { createClient } from '@retrigger/client/client.ts';
import { consumeEvents } from '@retrigger/client/examples/consume-events.ts';
import { createExecutor, type Executor } from '@retrigger/client/executor.ts';
import { kafkaExecutions } from '@retrigger/client/kafka-executions.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import { registryEvents } from '@retrigger/client/registry-events.ts';
import type { Run } from '@retrigger/client/run-execution.ts';
import type { TaskEvent } from '@retrigger/client/types.ts';
import type { Client } from '@retrigger/test-acceptance/client.ts';
import { KEY, type Running, start } from '@retrigger/test-acceptance/profile.ts';
import { freshInstallation, type InstallationSettings } from '@retrigger/test-cluster/installation.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

describe('the events topic', () => {
  let running: Running;
  let settings: InstallationSettings;
  let admin: Client;
  const ends: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    settings = await freshInstallation();
    running = await start('cluster', { ...settings, RETRIGGER_API_KEY: KEY });
    admin = running.admin;
  });
  afterAll(() => running.stop());
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  const topic = () => `${settings.RETRIGGER_KAFKA_PREFIX}retrigger.events`;
  const brokers = () => (settings.RETRIGGER_KAFKA_BROKERS ?? '').split(',');
  const registryUrl = () => settings.RETRIGGER_SCHEMA_REGISTRY_URL ?? '';
  const group = (name: string) => `${settings.RETRIGGER_KAFKA_PREFIX}${name}`;

  async function execute(name: string, types: string[], run: Run, concurrency = 2): Promise<Executor> {
    const { key } = dataOf(await createClient({ url: running.url, key: KEY }).createApiKey({ userId: name, roles: ['executor'] }));
    const client = createClient({ url: running.url, key, withinMs: 60_000 });
    const kafka = new Kafka({ clientId: name, brokers: brokers(), logLevel: logLevel.NOTHING });
    const source = await kafkaExecutions({
      ...{ kafka, client, types, groupId: group(name), topic: topic() },
      decode: registryEvents(registryUrl()),
    });
    const executor = createExecutor({ client, types, run, concurrency, source, heartbeatEveryMs: 500 });
    ends.push(() => executor.stop());
    return executor;
  }
  const tasks = async (type: string, count: number) => {
    const ids = Array.from({ length: count }, (_, n) => `${type}-${n}`);
    await Promise.all(ids.map((taskId) => admin.create(taskId, { type, context: { of: taskId } })));
    return ids;
  };
  const completed = async (ids: string[]) =>
    eventually(
      'all are Completed',
      async () => (await Promise.all(ids.map((id) => admin.task(id)))).every(({ status }) => status === 'Completed'),
      50_000,
    );

  test('gives executions to executors of a group, each to one of them, no more at once than they take', async () => {
    const ids = await tasks('grouped', 12);
    const ran: string[] = [];
    let [now, most] = [0, 0];
    const run: Run = async ({ taskId, context, deadlineAt, heartbeatTimeout }) => {
      most = Math.max(most, ++now);
      expect([context, deadlineAt, heartbeatTimeout]).toEqual([{ of: taskId }, undefined, '60s']);
      ran.push(taskId);
      await new Promise((resolve) => setTimeout(resolve, 50));
      now--;
      return { by: 'kafka' };
    };
    await execute('grouped', ['grouped'], run);
    await execute('grouped', ['grouped'], run);
    await Promise.all(ids.map((taskId) => admin.trigger(taskId)));
    await completed(ids);
    expect(ran.toSorted()).toEqual(ids.toSorted());
    expect(most).toBeLessThanOrEqual(4);
    expect(await admin.task('grouped-0')).toMatchObject({ lastExecution: { result: { by: 'kafka' } } });
  });

  test('leaves to others what was claimed over HTTP, what has a target, and what was cancelled', async () => {
    await tasks('mixed', 3);
    await admin.create('mixed-target', { type: 'mixed', target: { url: 'http://127.0.0.1:9/nobody' } });
    for (const taskId of ['mixed-0', 'mixed-1', 'mixed-2', 'mixed-target']) await admin.trigger(taskId);
    const claimed = await admin.post('/executions/claim', { types: ['mixed'], wait: '20s' }, { prefer: 'wait=60' });
    const [mine, ...others] = ['mixed-0', 'mixed-1', 'mixed-2'].toSorted((a) => (a === claimed.json.data.taskId ? -1 : 1));
    await admin.post(`/tasks/${others[0]}/cancel`, {}, { prefer: 'wait=60' });
    const ran: string[] = [];
    await execute('mixed', ['mixed'], async ({ taskId }) => void ran.push(taskId));
    await admin.becomes(others[1] ?? '', 'Completed', 50_000);
    expect(ran).toEqual([others[1]]);
    expect((await admin.task(mine ?? '')).status).toBe('Running');
  });

  test('goes on where a stopped executor left off, and a stop waits for what runs', async () => {
    const ids = await tasks('handed-over', 4);
    const gate = Promise.withResolvers<void>();
    const ran: string[] = [];
    const first = await execute(
      'handed-over',
      ['handed-over'],
      async ({ taskId }) => {
        ran.push(taskId);
        await gate.promise;
      },
      1,
    );
    await Promise.all(ids.map((taskId) => admin.trigger(taskId)));
    await eventually('one runs', async () => first.running === 1, 30_000);
    const stopped = first.stop();
    gate.resolve();
    await stopped;
    const before = ran.length;
    expect(before).toBeLessThanOrEqual(2);
    await execute('handed-over', ['handed-over'], async ({ taskId }) => void ran.push(taskId));
    await completed(ids);
    expect(ran.toSorted()).toEqual(ids.toSorted());
  });

  test('is consumed by a program downstream: each event of a task once, in order', async () => {
    const [taskId = ''] = await tasks('downstream', 1);
    const seen: TaskEvent[] = [];
    const downstream = await consumeEvents({
      ...{ brokers: brokers(), registryUrl: registryUrl(), groupId: group('downstream'), topic: topic() },
      onEvent: async (event) => void (event.taskId === taskId && seen.push(event)),
    });
    ends.push(downstream.stop);
    const { executionId } = await admin.trigger(taskId);
    await admin.post(`/executions/${executionId}/completed`, {}, { prefer: 'wait=60' });
    await eventually('all has come', async () => seen.length >= 3, 30_000);
    expect(seen.map(({ sequence, eventType }) => [sequence, eventType])).toEqual([
      [1, 'TaskCreated'],
      [2, 'TaskTriggered'],
      [3, 'TaskCompleted'],
    ]);
    expect(seen).toEqual(await admin.events(taskId));
  });
});

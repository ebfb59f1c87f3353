import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { API_KEY } from '@retrigger/test-cluster/installation.ts';
import { kill } from '@retrigger/test-faults/child.ts';
import { Client } from '@retrigger/test-faults/client.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { lastExecution, script, told } from '@retrigger/test-kafka-door/script.ts';
import { Kafka } from 'kafkajs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Installation } from './installation.ts';
import { publish, readmeLines, shell } from './published.ts';

type Told = { state: string; outcome?: { status: number; body: JsonObject } };

let installation: Installation;
let door: Client;
let env: { [name: string]: string };
beforeEach(async () => {
  installation = await Installation.fresh();
  const worker = installation.startWorker();
  const url = await installation.start('gateway').ready;
  door = new Client(url, API_KEY);
  await worker.ready;
  env = { ...installation.settings, API: `${url}/api/v1`, KEY: API_KEY, auth: `Authorization: Bearer ${API_KEY}` };
});
afterEach(() => installation.end());

const outcomeOf = (commandId: string): Promise<Told> => door.data(`/api/v1/commands/${commandId}?accepted=${new Date().toISOString()}`);

async function decided(commandId: string): Promise<Told> {
  await eventually(`${commandId} is decided`, async () => (await outcomeOf(commandId)).state !== 'pending', 120_000);
  return outcomeOf(commandId);
}

/** The task's last execution, once it has one: some begin when another task ends. */
async function executionOf(taskId: string): Promise<string> {
  await eventually(`${taskId} is Running`, async () => (await door.task(taskId)).status === 'Running');
  return lastExecution(await door.events(taskId));
}

/** The types of a task's events. An outcome may be told a moment before its task is: the receipt is stored first. */
async function typesOf(taskId: string): Promise<string[]> {
  await eventually(`${taskId} is there`, async () => (await door.send('GET', `/api/v1/tasks/${taskId}`)).status === 200);
  return (await door.events(taskId)).map(({ eventType }) => eventType);
}

/** The reasons in the dead letters, as kcat reads them. */
async function deadLetters(): Promise<string> {
  const topic = `${installation.settings.RETRIGGER_KAFKA_PREFIX}retrigger.dead-letters`;
  return shell(`kcat -b "$RETRIGGER_KAFKA_BROKERS" -C -t ${topic} -o beginning -e -q -f '%k %h\\n'`, env);
}

test('the README’s lines publish commands that are carried out, with kcat and openssl alone', async () => {
  const output = await shell(readmeLines(), env);
  expect(JSON.parse(output)).toMatchObject({ status: 200, data: { commandId: 'rollout-8' } });
  expect(await decided('create-43')).toMatchObject({ state: 'accepted', outcome: { status: 201 } });
  expect(await decided('rollout-8')).toMatchObject({ state: 'accepted', outcome: { status: 202 } });
  await typesOf('deploy-43');
  const events = await door.events('deploy-43');
  expect(events.map(({ eventType, correlationId }) => [eventType, correlationId])).toEqual([
    ['TaskCreated', 'create-43'],
    ['TaskTriggered', 'rollout-8'],
  ]);
});

test('a table of commands sent through both doors gives the same events and outcomes', async () => {
  const answers: number[] = [];
  for (const { method, path, taskId, body, execution } of script('ha', 'hb').filter(({ as = 'ann' }) => as === 'ann')) {
    const at = execution ? path.replace('EXECUTION', await executionOf(taskId)) : path;
    answers.push((await door.send(method, at, body, undefined, { prefer: 'wait=60' })).status);
  }
  const outcomes: (number | undefined)[] = [];
  for (const [n, { type, taskId, body, execution }] of script('ka', 'kb')
    .filter(({ as = 'ann' }) => as === 'ann')
    .entries()) {
    const sent = execution ? { ...body, executionId: await executionOf(taskId) } : body;
    await publish(env, [[`default/${taskId}`, { commandId: `c-${n}`, type, taskId, body: sent }]]);
    outcomes.push((await decided(`c-${n}`)).outcome?.status);
  }
  expect(outcomes).toEqual(answers);
  expect(told(await door.events('ka'), 'ka', 'kb')).toEqual(told(await door.events('ha'), 'ha', 'hb'));
  expect(told(await door.events('kb'), 'ka', 'kb')).toEqual(told(await door.events('hb'), 'ha', 'hb'));
}, 300_000);

test('whatever a producer compresses with is read; a repeated header and a forged record are dead letters', async () => {
  const command = (id: string) => ({ commandId: id, type: 'CreateTask', taskId: id, body: { type: 'job' } });
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    await publish(env, [[`default/${codec}`, command(codec)]], `-z ${codec}`);
    expect(await decided(codec)).toMatchObject({ state: 'accepted' });
  }
  await publish(env, [['default/repeated', command('repeated')]], '-H retrigger-key-id=first');
  await publish({ ...env, RETRIGGER_SECRET: 'the-secret-of-another-one' }, [['default/forged', command('forged')]]);
  await publish(env, [['default/bad', { commandId: 'bad', type: 'Wake', taskId: 't', body: {} }]]);
  await eventually('the last one is there', async () => (await deadLetters()).includes('default/bad'), 60_000);
  const dead = await deadLetters();
  expect(dead).toMatch(/^default\/repeated [\s\S]*reason=the header "retrigger-key-id" stands there more than once/m);
  expect(dead).toMatch(/^default\/forged .*reason=the signature is not that of a key that is good now/m);
  expect(dead).toMatch(/^default\/bad .*reason=type is no command that a door takes/m);
  expect((await door.send('GET', '/api/v1/tasks/forged')).status).toBe(404);
});

test('gateways that are killed while they take commands lose none and do none twice', async () => {
  const { RETRIGGER_KAFKA_BROKERS: brokers = '', RETRIGGER_KAFKA_PREFIX: prefix } = installation.settings;
  const topic = `${prefix}retrigger.commands`;
  const secret = (await shell('npm run -s signing-secret', env)).trim();
  const producer = new Kafka({ brokers: brokers.split(','), logLevel: 0 }).producer();
  await producer.connect();
  const signedMessage = (taskId: string, type: string, body: JsonObject) => {
    const [key, at] = [`default/${taskId}`, new Date().toISOString()];
    const value = JSON.stringify({ commandId: `${type}-${taskId}`, type, taskId, body });
    const signature = createHmac('sha256', secret).update(`first\n${at}\n${topic}\n${key}\napplication/json\n${value}`).digest('hex');
    const headers = { 'content-type': 'application/json', 'retrigger-key-id': 'first', 'retrigger-timestamp': at };
    return { key, value, headers: { ...headers, 'retrigger-signature': signature } };
  };
  const ids: string[] = [];
  const enough = new AbortController();
  const publishing = (async () => {
    while (!enough.signal.aborted) {
      const some = Array.from({ length: 5 }, (_, n) => `task-${ids.length + n}`);
      ids.push(...some);
      await producer.send({ topic, messages: some.map((id) => signedMessage(id, 'CreateTask', { type: 'job' })) });
      await producer.send({ topic, messages: some.map((id) => signedMessage(id, 'TriggerTask', {})) });
      await setTimeout(200); // the load, not a condition
    }
    await producer.disconnect();
  })();
  for (let kills = 0; kills < 2; kills++) {
    const victim = installation.start('gateway');
    const url = await victim.ready;
    await eventually('it takes commands', async () => (await metric(url, 'commands_total')) > 10 * kills, 120_000);
    await kill(victim);
  }
  enough.abort();
  await publishing;
  expect(ids.length).toBeGreaterThan(50);
  const left = [...ids];
  const look = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      expect(await decided(`TriggerTask-${id}`)).toMatchObject({ state: 'accepted' });
      expect(await typesOf(id)).toEqual(['TaskCreated', 'TaskTriggered']);
    }
  };
  await Promise.all(Array.from({ length: 8 }, look));
  expect(await deadLetters()).toBe('');
}, 300_000);

/** The sum of a counter. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)`, 'gm'))].reduce((sum, [, count]) => sum + Number(count), 0);
}

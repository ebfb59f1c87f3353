import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareAnswer } from './bare-answer.ts';
import { type Answer, Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { deadAddress, startReceiver } from './receiver.ts';

/** What a name is, of theirs and of nothing; the same length and alphabet. */
type Pair = [theirs: string, nothing: string];

describe.each(PROFILES)('what one tenant streams, claims, tells and does to many is nothing to another, %s', (profile) => {
  let running: Running;
  let ann: Client;
  let bob: Client;
  const task: Pair = [own('theirs'), own('thqqrs')];
  const type: Pair = [own('job-theirs'), own('job-thqqrs')];
  const shared = own('shared');
  const done: Pair = [own('done'), own('dqne')];

  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_NOTIFICATION_ATTEMPTS: '1' });
    const keys = await Promise.all(
      ['ann', 'bob'].map((name) => running.admin.post('/api-keys', { tenantId: own(name), userId: name, roles: ['admin'] })),
    );
    [ann, bob] = keys.map(({ json }) => new Client(running.url, String(json.data.key))) as [Client, Client];
    await ann.create(task[0], { type: type[0] });
    for (const client of [ann, bob]) await client.create(shared);
  });
  afterAll(() => running.stop());

  /** Asks the same about theirs and about nothing: the same bytes but for the names. */
  async function same(
    [theirs, nothing]: Pair,
    method: string,
    path: (id: string) => string,
    body?: (id: string) => object,
  ): Promise<Answer> {
    const ask = (id: string) => bob.call(method, `/api/v1${path(id)}`, body?.(id), { prefer: 'wait=60' });
    const [about, ofNothing] = [await ask(theirs), await ask(nothing)];
    expect(bareAnswer(about, [theirs])).toEqual(bareAnswer(ofNothing, [nothing]));
    return about;
  }

  test('a stream shows the caller’s own, also of a task that both have, and takes no place of another’s stream', async () => {
    const [all, ofShared, annsOwn] = await Promise.all([bob.stream(), bob.stream(`taskId=${shared}`), ann.stream()]);
    for (const client of [ann, bob, ann]) await client.post(`/tasks/${shared}/cancel`);
    await bob.create(own('last'));
    const has = (reader: typeof all, taskId: string, type: string) => () =>
      reader.messages.some(({ data }) => data.taskId === taskId && data.eventType === type);
    await all.until(has(all, own('last'), 'TaskCreated'));
    await ofShared.until(has(ofShared, shared, 'TaskCancelled'));
    await annsOwn.until(has(annsOwn, shared, 'CommandRefused'));
    const tenants = (reader: typeof all) => new Set(reader.messages.map(({ data }) => (data as unknown as { tenantId: string }).tenantId));
    expect([tenants(all), tenants(ofShared), tenants(annsOwn)]).toEqual([
      new Set([own('bob')]),
      new Set([own('bob')]),
      new Set([own('ann')]),
    ]);
    const place = annsOwn.messages[0]?.id ?? '';
    const refused = await Promise.all(
      [place, place.replace(/[A-Za-z]/g, 'q')].map((id) => bob.call('GET', '/api/v1/events/stream', undefined, { 'last-event-id': id })),
    );
    expect(refused.map(({ status }) => status)).toEqual([400, 400]);
    expect(refused[0]?.json.errors).toEqual(refused[1]?.json.errors);
    for (const reader of [all, ofShared, annsOwn]) await reader.cancel();
  });

  test('pages and files of all events that name another’s task are empty', async () => {
    for (const query of ['', '&format=jsonl', '&format=csv', '&types=TaskCreated&order=desc'])
      expect((await same(task, 'GET', (id) => `/events?taskId=${id}${query}`)).status).toBe(200);
    expect((await bob.page(`taskId=${task[0]}`)).total).toBe(0);
  });

  test('an execution of another’s is never there to be claimed', async () => {
    const { executionId } = await ann.trigger(task[0]);
    const none = await same(
      type,
      'POST',
      () => '/executions/claim',
      (id) => ({ types: [id] }),
    );
    expect(none.status).toBe(204);
    const claimed = await ann.post('/executions/claim', { types: [type[0]] });
    expect(claimed.json.data).toMatchObject({ executionId, taskId: task[0] });
  });

  test.each([false, true])('tasks of another’s in a bulk are tasks that don’t exist, all or nothing: %s', async (allOrNothing) => {
    const schedule = { strategy: 'delayed', delay: '5m' };
    const calls: [string, string, JsonObject][] = [
      ['POST', 'trigger', {}],
      ['PUT', 'reschedule', { schedule }],
    ];
    for (const [method, path, more] of calls) {
      const body = (id: string) => ({ tasks: [{ taskId: id }], allOrNothing, ...more });
      const answer = await same(task, method, () => `/tasks/bulk/${path}`, body);
      expect([answer.status, answer.text]).toEqual([allOrNothing ? 409 : 200, expect.stringContaining('task_not_found')]);
      await same(task, method, () => `/tasks/bulk/${path}?dryRun=true`, body);
      const filtered = (id: string) => ({ filter: { taskIds: [id] }, allOrNothing, ...more });
      await same(task, method, () => `/tasks/bulk/${path}`, filtered);
    }
    expect(await ann.task(task[0])).not.toHaveProperty('reservation');
  });

  test('conditions of a bulk can’t name another’s task', async () => {
    const body = (id: string) => ({ tasks: [{ taskId: shared, conditions: { dependenciesComplete: [id] } }] });
    expect((await same(task, 'POST', () => '/tasks/bulk/trigger', body)).status).toBe(400);
  });

  test('a bulk of another’s is a command that nobody sent', async () => {
    await ann.create(done[0]);
    const { headers, status } = await ann.post('/tasks/bulk/trigger', { tasks: [{ taskId: done[0] }] }, { prefer: 'wait=60' });
    const commandId = headers.get('x-command-id') ?? '';
    const pair: Pair = [commandId, commandId.replace(/[A-Za-z]/g, (letter) => (letter === 'q' ? 'r' : 'q'))];
    expect([status, (await same(pair, 'GET', (id) => `/commands/${id}`)).status]).toEqual([200, 404]);
    const now = new Date().toISOString();
    const pending = await same(pair, 'GET', (id) => `/commands/${id}?accepted=${now}`);
    expect(pending.json.data).toEqual({ commandId, state: 'pending' });
  });

  test('a subscription to another’s task is like one to a task that there is not: it hears of the caller’s own alone', async () => {
    const receiver = await startReceiver();
    const subscribed = await bob.post('/subscriptions', { channel: 'webhook', url: receiver.url, tasks: [done[0], own('own-one')] });
    expect(subscribed.status).toBe(201);
    await ann.post(`/tasks/${done[0]}/cancel`);
    await ann.create(own('own-one'));
    await bob.create(own('own-one'));
    await eventually('the own event is told', async () => receiver.heard(own('own-one')).length > 0);
    const heard = receiver.calls.map(({ body }) => JSON.parse(body).data as { tenantId: string; taskId: string });
    expect(new Set(heard.map(({ tenantId, taskId }) => `${tenantId} ${taskId}`))).toEqual(new Set([`${own('bob')} ${own('own-one')}`]));
    await receiver.stop();
  });

  test('lists of subscriptions and dead letters are the caller’s own', async () => {
    const subscribed = await ann.post('/subscriptions', { channel: 'webhook', url: await deadAddress(), tasks: [own('given-up')] });
    await ann.create(own('given-up'));
    const letters = (client: Client) => client.data<{ deadLetters: { id: string }[] }>('/dead-letters');
    await eventually('something is given up', async () => (await letters(ann)).deadLetters.length > 0);
    const seen = JSON.stringify([await letters(bob), await bob.data('/subscriptions'), await bob.data('/dead-letters?state=closed')]);
    const traces = [own('given-up'), String(subscribed.json.data.id), (await letters(ann)).deadLetters[0]?.id ?? ''];
    for (const trace of traces) expect(seen).not.toContain(trace);
  });
});

import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { type Behaviour, startReceiver } from './receiver.ts';
import { isSigned } from './target.ts';

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
type Shown = JsonObject & {
  id: string;
  secret?: string;
  state: string;
  paused?: JsonObject;
  lastTest?: { delivered: boolean; reason?: string };
};
type Letter = JsonObject & { id: string; subscriptionId: string; taskId: string; history: JsonObject[] };

/** Two attempts, and nobody is hurried: a receiver that hangs does so for ever, as far as a test can tell. */
const PATIENT = {
  RETRIGGER_NOTIFICATION_ATTEMPTS: '2',
  RETRIGGER_NOTIFICATION_RETRY_MS: '10',
  RETRIGGER_NOTIFICATION_TIMEOUT_MS: '120000',
  RETRIGGER_NOTIFICATION_PAUSE_AFTER: '2',
};

describe.each(PROFILES)('subscriptions, %s', (profile) => {
  let running: Running;
  const receivers: Receiver[] = [];

  beforeAll(async () => {
    running = await start(profile, PATIENT);
  });
  afterAll(async () => {
    await running.stop();
    for (const receiver of receivers) await receiver.stop();
  });

  const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> => {
    const started = await startReceiver(...args);
    receivers.push(started);
    return started;
  };
  const subscribe = async (body: JsonObject): Promise<Shown> => {
    const { status, text, json } = await running.admin.post('/subscriptions', { channel: 'webhook', ...body });
    if (status !== 201) throw new Error(`${status} ${text}`);
    return json.data as Shown;
  };
  const all = async (): Promise<Shown[]> => (await running.admin.data<{ subscriptions: Shown[] }>('/subscriptions')).subscriptions;
  const one = async (id: string): Promise<Shown | undefined> => (await all()).find((found) => found.id === id);
  const letters = async (state: string, subscriptionId: string): Promise<Letter[]> =>
    (await running.admin.data<{ deadLetters: Letter[] }>(`/dead-letters?state=${state}&pageSize=1000`)).deadLetters.filter(
      (letter) => letter.subscriptionId === subscriptionId,
    );

  test('one is listed without its secret, and a repeat of its key shows the same secret again', async () => {
    const { url } = await receiver();
    const body = { channel: 'webhook', url, events: ['TaskFailed'], tasks: [own('x')], criticalOnly: true };
    const key = { 'idempotency-key': own('subscribe') };
    const first = await running.admin.post('/subscriptions', body, key);
    expect([first.status, (await running.admin.post('/subscriptions', body, key)).text]).toEqual([201, first.text]);
    const { secret, ...shown } = first.json.data as Shown;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(shown).toMatchObject(body);
    expect(shown, 'a decided answer never has one').not.toHaveProperty('state');
    expect(await one(shown.id)).toEqual({ ...shown, state: 'active' });
    expect((await running.admin.post('/subscriptions', { ...body, events: ['TaskCreated'] }, key)).status).toBe(422);
  });

  test('a removed one is told nothing more, and is gone', async () => {
    const [gone, stays] = [await receiver(), await receiver()];
    const taskId = own('removed');
    const { id } = await subscribe({ url: gone.url, tasks: [taskId] });
    await subscribe({ url: stays.url, tasks: [taskId] });
    const remove = () => running.admin.call('DELETE', `/api/v1/subscriptions/${id}`);
    expect([(await remove()).status, (await remove()).json.code]).toEqual([204, 'not_found']);
    expect(await one(id)).toBeUndefined();
    await running.admin.create(taskId);
    await eventually('the other one has it', async () => stays.calls.length === 1);
    expect(gone.calls).toEqual([]);
    expect((await running.admin.post(`/subscriptions/${id}/test`)).status).toBe(404);
  });

  test('a test is one signed message, and how it ended is told', async () => {
    let behaviour: Behaviour = 503;
    const at = await receiver(() => behaviour);
    const { id, secret = '' } = await subscribe({ url: at.url, tasks: [own('nothing')] });
    const isTested = async (delivered: boolean) => (await one(id))?.lastTest?.delivered === delivered;
    expect((await running.admin.post(`/subscriptions/${id}/test`)).status).toBe(202);
    await eventually('it has failed', () => isTested(false));
    behaviour = 200;
    await running.admin.post(`/subscriptions/${id}/test`);
    await eventually('it has arrived', () => isTested(true));
    expect(at.calls).toHaveLength(2);
    for (const call of at.calls) {
      expect(JSON.parse(call.body)).toEqual({ type: 'SubscriptionTest', timestamp: expect.any(String), data: { subscriptionId: id } });
      expect(isSigned({ ...call, method: 'POST' }, secret)).toBe(true);
    }
  });

  test('one that keeps failing is paused and says so; what comes meanwhile is held, and follows when a test arrives', async () => {
    let behaviour: Behaviour = 500;
    const at = await receiver(() => behaviour);
    const tasks = ['a', 'b', 'c', 'd'].map((name) => own(`paused-${name}`));
    const [first = '', second = '', ...later] = tasks;
    const { id } = await subscribe({ url: at.url, tasks, events: ['TaskCreated'] });
    for (const taskId of [first, second]) await running.admin.create(taskId);
    await eventually('it is paused', async () => (await one(id))?.state === 'paused');
    expect((await one(id))?.paused).toEqual({ at: expect.any(String), reason: 'It answered 500' });
    await eventually('it is counted', async () =>
      /subscriptions_paused_total\{[^}]*channel="webhook"[^}]*\} [1-9]/.test(await running.metrics()),
    );
    behaviour = 200;
    for (const taskId of later) await running.admin.create(taskId);
    await running.admin.post(`/subscriptions/${id}/test`);
    await eventually('it is active', async () => (await one(id))?.state === 'active');
    await eventually('what was held has arrived', async () => later.every((taskId) => at.heard(taskId).length === 1));
    const given = (await letters('open', id)).map(({ taskId }) => taskId);
    expect(given.toSorted()).toEqual([first, second]);
  });

  test('a subscriber that hangs for ever keeps nobody else waiting', async () => {
    const [hanging, well] = [await receiver(() => 'hang'), await receiver()];
    const tasks = Array.from({ length: 30 }, (_, i) => own(`beside-${i}`));
    for (const { url } of [hanging, well]) await subscribe({ url, tasks, events: ['TaskCreated', 'TaskTriggered'] });
    for (const taskId of tasks) await running.admin.create(taskId);
    for (const taskId of tasks) await running.admin.trigger(taskId);
    await eventually('the healthy one has everything', async () => tasks.every((taskId) => well.heard(taskId).length === 2), 30_000);
    for (const taskId of tasks) expect(well.heard(taskId).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(hanging.calls.length).toBeGreaterThan(0);
  });

  test('a dead letter is delivered when it is redriven, once; who did it is kept', async () => {
    let behaviour: Behaviour = 500;
    const at = await receiver(() => behaviour);
    const taskId = own('redriven');
    const { id } = await subscribe({ url: at.url, tasks: [taskId], events: ['TaskCreated'] });
    await running.admin.create(taskId);
    await eventually('it is given up', async () => (await letters('open', id)).length === 1);
    const [letter] = await letters('open', id);
    behaviour = 200;
    const key = { 'idempotency-key': own('redrive') };
    const redrive = (headers: { [name: string]: string } = {}) => running.admin.post(`/dead-letters/${letter?.id}/redrive`, {}, headers);
    const first = await redrive(key);
    expect([first.status, (await redrive(key)).text]).toEqual([202, first.text]);
    await eventually('it has arrived', async () => at.calls.length === 3);
    expect(new Set(at.calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(await letters('open', id)).toEqual([]);
    expect(await letters('closed', id)).toMatchObject([{ id: letter?.id, history: [{ action: 'redriven', by: 'admin' }] }]);
    expect((await redrive()).json).toMatchObject({ status: 409, code: 'invalid_state', detail: 'It was redriven already' });
  });

  test('a dead letter is dropped with a reason, which is kept; without one it is not', async () => {
    const at = await receiver(() => 500);
    const taskId = own('dropped');
    const { id } = await subscribe({ url: at.url, tasks: [taskId], events: ['TaskCreated'] });
    await running.admin.create(taskId);
    await eventually('it is given up', async () => (await letters('open', id)).length === 1);
    const path = `/dead-letters/${(await letters('open', id))[0]?.id}/drop`;
    expect((await running.admin.post(path, {})).json).toMatchObject({ status: 400, errors: [{ path: 'reason' }] });
    expect((await running.admin.post(path, { reason: 'known outage' })).status).toBe(200);
    expect(await letters('open', id)).toEqual([]);
    expect((await letters('closed', id))[0]?.history).toMatchObject([{ action: 'dropped', by: 'admin', reason: 'known outage' }]);
  });
});

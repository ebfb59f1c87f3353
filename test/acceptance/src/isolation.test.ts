import type { JsonObject } from '@retrigger/domain/json.ts';
import { CONTRACT } from '@retrigger/test-gateway/contract-calls.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareAnswer } from './bare-answer.ts';
import { type Answer, Client, type Headed } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { deadAddress } from './receiver.ts';

/** What a path may name, by its place in the path. */
type Ids = {
  taskId: string;
  executionId: string;
  eventId: string;
  commandId: string;
  'api-keys': string;
  subscriptions: string;
  'dead-letters': string;
};

/** As long as theirs and of the same alphabet; nothing has these names. */
const nothing = (theirs: Ids): Ids => {
  const other = (id: string) => id.replace(/[A-Za-z]/g, (letter) => (letter === 'q' ? 'r' : 'q'));
  const taskId = other(theirs.taskId);
  return {
    taskId,
    executionId: `${taskId}${other(theirs.executionId.slice(theirs.taskId.length))}`,
    eventId: other(theirs.eventId),
    commandId: other(theirs.commandId),
    'api-keys': `key_${other(theirs['api-keys'].slice(4))}`,
    subscriptions: `sub_${other(theirs.subscriptions.slice(4))}`,
    'dead-letters': other(theirs['dead-letters']),
  };
};

/** The calls of the contract that name something in their path. */
const NAMING = Object.keys(CONTRACT).filter((call) => call.includes('{') && call.includes('/api/'));

function pathWith(call: string, ids: Ids): string {
  const path = call.split(' ')[1] ?? '';
  const collection = /\/([a-z-]+)\/\{id\}/.exec(path)?.[1] ?? '';
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[(name === 'id' ? collection : name) as keyof Ids];
    if (id === undefined) throw new Error(`${call}: say here which ${collection || name} the other tenant has`);
    return id;
  });
}

async function firstDeadLetter(client: Client): Promise<string> {
  let found: { id: string }[] = [];
  await eventually('something is given up', async () => {
    found = (await client.data<{ deadLetters: { id: string }[] }>('/dead-letters')).deadLetters;
    return found.length > 0;
  });
  return found[0]?.id ?? '';
}

describe.each(PROFILES)('two tenants, %s', (profile) => {
  let running: Running;
  let ann: Client;
  let bob: Client;
  let theirs: Ids;
  let none: Ids;
  const headed: Headed = { 'idempotency-key': own('key') };
  const tasks = { theirs: own('theirs'), shared: own('shared') };

  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_NOTIFICATION_ATTEMPTS: '1' });
    const keys = await Promise.all(
      ['ann', 'bob'].map((name) => running.admin.post('/api-keys', { tenantId: own(name), userId: name, roles: ['admin'] })),
    );
    [ann, bob] = keys.map(({ json }) => new Client(running.url, String(json.data.key))) as [Client, Client];
    const subscribed = await ann.post('/subscriptions', { channel: 'webhook', url: await deadAddress(), events: ['TaskCreated'] });
    await ann.create(tasks.theirs, { type: own('job') });
    for (const client of [ann, bob]) await client.create(tasks.shared);
    const triggered = await ann.post(`/tasks/${tasks.theirs}/trigger`, { triggerReason: 'secret' }, headed);
    theirs = {
      taskId: tasks.theirs,
      executionId: String(triggered.json.data.executionId),
      eventId: (await ann.events(tasks.theirs))[0]?.eventId ?? '',
      commandId: triggered.headers.get('x-command-id') ?? '',
      'api-keys': String(keys[0]?.json.data.id),
      subscriptions: String(subscribed.json.data.id),
      'dead-letters': await firstDeadLetter(ann),
    };
    none = nothing(theirs);
  });
  afterAll(() => running.stop());

  const ask = (method: string, path: string, body?: object, headers?: Headed) => bob.call(method, path, body, headers);

  /** Asks the same about theirs and about nothing. */
  async function same(method: string, path: (ids: Ids) => string, body?: (ids: Ids) => object): Promise<Answer> {
    const [about, ofNothing] = [await ask(method, path(theirs), body?.(theirs)), await ask(method, path(none), body?.(none))];
    expect(bareAnswer(about, Object.values(theirs))).toEqual(bareAnswer(ofNothing, Object.values(none)));
    return about;
  }

  test.each(NAMING)('%s of another tenant’s answers as for something that never existed', async (call) => {
    const { body } = CONTRACT[call] ?? {};
    const { status } = await same(call.split(' ')[0] ?? '', (ids) => pathWith(call, ids), body && (() => body));
    expect([call, status]).toEqual([call, 404]);
  });

  test.each(['trigger', 'cancel'])('nor does a dry run of %s tell anything', async (what) => {
    const answer = await same('POST', ({ taskId }) => `/api/v1/tasks/${taskId}/${what}?dryRun=true`);
    expect(answer.json.data ?? answer.json).toMatchObject({ verdict: 'refused', problem: { code: 'task_not_found' } });
  });

  test('nor a history as a file, or as it was', async () => {
    for (const query of ['events?format=csv', 'events?format=jsonl', 'events?pageSize=1', 'diff?from=2026-01-01T00:00:00Z'])
      expect((await same('GET', ({ taskId }) => `/api/v1/tasks/${taskId}/${query}`)).status).toBe(404);
    const at = new Date().toISOString();
    expect((await same('GET', ({ taskId }) => `/api/v1/tasks/${taskId}?at=${at}`)).status).toBe(404);
  });

  test('another tenant’s event is none of the caller’s own task', async () => {
    const { status } = await same('GET', ({ eventId }) => `/api/v1/tasks/${tasks.shared}/events/${eventId}`);
    expect(status).toBe(404);
  });

  test('another’s command is pending for whoever says that it was taken, like one that nobody sent', async () => {
    const answer = await same('GET', ({ commandId }) => `/api/v1/commands/${commandId}?accepted=${new Date().toISOString()}`);
    expect(answer.json.data).toEqual({ commandId: theirs.commandId, state: 'pending' });
  });

  test('another tenant’s tasks can’t be depended on or waited for', async () => {
    const bodies: ((ids: Ids) => JsonObject)[] = [
      ({ taskId }) => ({ type: 'job', dependencies: [taskId] }),
      ({ taskId }) => ({ type: 'job', schedule: { strategy: 'conditional', conditions: { outcome: { taskId, status: 'Completed' } } } }),
    ];
    for (const body of bodies) expect((await same('POST', () => '/api/v1/tasks', body)).status).toBe(400);
    const onTrigger = await same(
      'POST',
      () => `/api/v1/tasks/${tasks.shared}/trigger`,
      ({ taskId }) => ({
        conditions: { dependenciesComplete: [taskId] },
      }),
    );
    expect(onTrigger.status).toBe(400);
  });

  test('another tenant’s users and tasks can’t be erased', async () => {
    expect(
      (
        await same(
          'POST',
          () => '/api/v1/erasures',
          ({ taskId }) => ({ taskId }),
        )
      ).status,
    ).toBe(404);
    const [about, ofNobody] = await Promise.all(['ann', 'nan'].map((userId) => ask('POST', '/api/v1/erasures', { userId })));
    expect([about?.status, about?.json.data.erased, ofNobody?.status, ofNobody?.json.data.erased]).toEqual([202, false, 202, false]);
    expect((await ann.events(tasks.theirs))[0]?.actor.id).toBe('ann');
  });

  test('a cursor of another tenant is refused like one that was made up', async () => {
    await ann.create(own('theirs-2'), { type: own('job') });
    for (const path of [`/tasks/${tasks.shared}/events?pageSize=1`, '/tasks?pageSize=1']) {
      const page = await ann.data<{ pageInfo: { nextCursor: string | null } }>(path);
      if (path.includes('/events')) await ann.trigger(tasks.shared);
      const { nextCursor } = page.pageInfo.nextCursor === null ? (await ann.data<typeof page>(path)).pageInfo : page.pageInfo;
      expect(nextCursor).not.toBeNull();
      const [about, madeUp] = await Promise.all(
        [String(nextCursor), String(nextCursor).replace(/[A-Za-z]/g, 'q')].map((cursor) => ask('GET', `/api/v1${path}&cursor=${cursor}`)),
      );
      expect([about?.status, about?.json.errors]).toEqual([400, madeUp?.json.errors]);
      expect((await ann.call('GET', `/api/v1${path}&cursor=${nextCursor}`)).status).toBe(200);
    }
  });

  test('the same idempotency key for the same call is another command', async () => {
    const [first, second] = [
      await ann.post(`/tasks/${own('keyed')}/cancel`, {}, headed),
      await bob.post(`/tasks/${own('keyed')}/cancel`, {}, headed),
    ];
    expect(second.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('x-command-id')).not.toBe(first.headers.get('x-command-id'));
    const made = await bob.post('/tasks', { taskId: tasks.theirs, type: 'job' });
    expect([made.status, made.json.data.owner]).toEqual([201, 'bob']);
    const triggered = await bob.post(`/tasks/${tasks.theirs}/trigger`, { triggerReason: 'another' }, headed);
    expect([triggered.status, triggered.headers.get('idempotent-replayed')]).toEqual([202, null]);
    expect(triggered.json.data.executionId).not.toBe(theirs.executionId);
  });

  test('an execution is reported in its own tenant only, also where the task has the same name', async () => {
    const { executionId } = await ann.trigger(own('theirs-2'));
    await bob.create(own('theirs-2'));
    const { status } = await bob.post(`/executions/${executionId}/completed`, {});
    expect([status, (await ann.task(own('theirs-2'))).status]).toEqual([409, 'Running']);
  });

  test('lists, histories, keys and settings are the tenant’s own', async () => {
    await ann.call('PUT', '/api/v1/tenant/settings', { retention: { events: '77d' } });
    const seen = await Promise.all(['/tasks?pageSize=1000', '/api-keys', '/tenant/settings'].map((path) => bob.data(path)));
    for (const trace of [own('job'), theirs['api-keys'], '"77d"', 'secret']) expect(JSON.stringify(seen)).not.toContain(trace);
  });

  test('no metric names a tenant, a task or a user', async () => {
    const metrics = await running.metrics();
    for (const name of [own('ann'), own('bob'), tasks.theirs, tasks.shared]) expect(metrics).not.toContain(name);
    const labels = new Set([...metrics.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
    expect(labels).toContain('route');
    expect([...labels].filter((label) => /tenant|task|user|actor|owner/i.test(label ?? ''))).toEqual([]);
  });
});

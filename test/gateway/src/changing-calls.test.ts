import { refused } from '@retrigger/domain/refusal.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, running, startDoor, tokenOf } from './door.ts';
import { settled } from './fakes.ts';

const TRIGGER = '/api/v1/tasks/t/trigger';
const KEY = { 'idempotency-key': 'k' };

describe('a changing call', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
    door.seed('default', 't', ['TaskCreated']);
  });

  test('hands in a command with everything from the credentials and the request', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = await door.post(TRIGGER, { triggerReason: 'why' }, { 'x-request-id': 'mine', traceparent });
    expect(headers.get('x-request-id')).toBe('mine');
    expect(door.commands).toEqual([
      {
        commandId: headers.get('x-command-id'),
        tenantId: 'default',
        taskId: 't',
        actor: { id: tokenOf('admin'), type: 'user' },
        roles: ['admin'],
        correlationId: 'mine',
        traceparent,
        fingerprint: { triggerReason: expect.any(String) },
        replyTo: 'this-process',
        type: 'TriggerTask',
        body: { triggerReason: 'why' },
      },
    ]);
  });

  test.each([
    ['/api/v1/tasks', { type: 'job', taskId: 'new' }, 201, 'CreateTask'],
    [TRIGGER, undefined, 202, 'TriggerTask'],
    ['/api/v1/tasks/t/cancel', {}, 200, 'CancelTask'],
    ['/api/v1/executions/t.abcdefghijklmnopqrstuv/started', undefined, 200, 'StartExecution'],
    ['/api/v1/executions/t.abcdefghijklmnopqrstuv/heartbeat', {}, 200, 'HeartbeatExecution'],
    ['/api/v1/executions/t.abcdefghijklmnopqrstuv/completed', { result: null }, 200, 'CompleteExecution'],
    ['/api/v1/executions/t.abcdefghijklmnopqrstuv/failed', { error: 'no', retryable: false }, 200, 'FailExecution'],
  ])('%s is accepted as %d', async (path, body, status, type) => {
    const answer = await door.post(path, body);
    expect([answer.status, answer.json.status, answer.json.data.for]).toEqual([status, status, type]);
    expect(door.commands[0]?.actor.type).toBe(path.includes('executions') ? 'executor' : 'user');
  });

  test('a refusal of the worker is a problem whose instance is the command', async () => {
    door.worker = running;
    const { status, json, headers } = await door.post(TRIGGER);
    expect(status).toBe(409);
    expect(json).toEqual({
      type: 'urn:retrigger:problem:task-already-running',
      title: 'Task is already running',
      status: 409,
      detail: 'Task t is Running; cancel it or wait for its end',
      code: 'task_already_running',
      instance: `/api/v1/commands/${headers.get('x-command-id')}`,
    });
  });

  test('what the caller’s roles don’t permit reaches the worker, so that the task’s history shows it; its outcome can be asked for, and binds no repeat', async () => {
    const asked = { method: 'POST', as: 'viewer', headers: KEY };
    const { status, json, headers } = await door.ask(TRIGGER, asked);
    expect([status, json.code]).toEqual([403, 'forbidden']);
    expect(door.commands).toMatchObject([{ type: 'TriggerTask', roles: ['viewer'], actor: { id: tokenOf('viewer') } }]);
    const command = await door.ask(`/api/v1/commands/${headers.get('x-command-id')}`, { as: 'viewer' });
    expect(command.json.data).toMatchObject({ state: 'refused', outcome: { status: 403, body: json } });
    door.worker = () => ({ kind: 'accepted', answer: {} });
    expect((await door.ask(TRIGGER, asked)).status).toBe(202);
  });

  test('sixty triggers at once under one key are one command and the same bytes', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => door.post(TRIGGER, { triggerReason: 'x' }, KEY)));
    expect(door.commands).toHaveLength(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
  });

  test.each(['accepted', 'refused'])('a repeat of what was %s is the same but for one header', async (what) => {
    if (what === 'refused') door.worker = () => refused('task_not_found', 'There is no task t');
    const [first, again] = [await door.post(TRIGGER, {}, KEY), await door.post(TRIGGER, undefined, { 'x-idempotency-key': 'k' })];
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('x-command-id')).toBe(first.headers.get('x-command-id'));
    expect(door.commands).toHaveLength(1);
  });

  test('another body under the same key is 422, naming the fields', async () => {
    await door.post(TRIGGER, { triggerReason: 'a', context: { same: 1 } }, KEY);
    const { status, json } = await door.post(TRIGGER, { triggerReason: 'b', context: { same: 1 } }, KEY);
    expect([status, json.code, json.fields]).toEqual([422, 'idempotency_key_reused', ['triggerReason']]);
  });

  test('the order of members does not make another body', async () => {
    await door.ask(TRIGGER, { method: 'POST', raw: '{"triggerReason":"a","context":{"x":1,"y":2}}', headers: KEY });
    const again = await door.ask(TRIGGER, { method: 'POST', raw: '{"context":{"y":2,"x":1},"triggerReason":"a"}', headers: KEY });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
  });

  test('a key belongs to caller and path', async () => {
    const ids = [
      await door.post(TRIGGER, {}, KEY),
      await door.post('/api/v1/tasks/u/trigger', {}, KEY),
      await door.ask(TRIGGER, { method: 'POST', as: 'stranger', headers: KEY }),
    ].map(({ headers }) => headers.get('x-command-id'));
    expect(new Set(ids).size).toBe(3);
  });

  test('the signing secret of a new target is in the answer, also when it is repeated, and nowhere else', async () => {
    door.worker = ({ taskId }) => ({ kind: 'accepted', answer: { taskId, target: { url: 'https://example.com/' } } });
    const body = { type: 'job', taskId: 'new', target: { url: 'https://example.com/' } };
    const first = await door.post('/api/v1/tasks', body, KEY);
    expect(first.json.data.target.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(first.headers.get('location')).toBe('/api/v1/tasks/new');
    const again = await door.post('/api/v1/tasks', body, KEY);
    expect([again.text, again.headers.get('location')]).toEqual([first.text, first.headers.get('location')]);
    expect(JSON.stringify([...door.receipts.values(), ...door.commands])).not.toContain('whsec_');
  });

  test('past its wait it is pending, and its place tells what came of it', async () => {
    const decide = door.worker;
    door.worker = null;
    const asking = door.post(TRIGGER, {}, { ...KEY, prefer: 'wait=5' });
    await settled();
    door.clock.advance(5_000);
    const { status, json, headers } = await asking;
    const commandId = headers.get('x-command-id');
    expect([status, json]).toEqual([202, { status: 202, data: { commandId, state: 'pending' } }]);
    const location = headers.get('location') ?? '';
    expect(location).toBe(`/api/v1/commands/${commandId}?accepted=2026-03-04T05:06:07.008Z`);
    expect((await door.ask(location)).json.data).toEqual({ commandId, state: 'pending' });
    expect((await door.ask(location.split('?')[0] ?? '')).status).toBe(404);

    door.worker = decide;
    const repeat = door.post(TRIGGER, {}, KEY);
    await settled();
    const [command] = door.commands;
    if (command === undefined || decide === null) throw new Error('nothing was handed in');
    const outcome = decide(command);
    door.receipts.set(command.commandId, {
      commandId: command.commandId,
      tenantId: 'default',
      actorId: tokenOf('admin'),
      key: 'default/t',
      type: command.type,
      sequence: null,
      fingerprint: {},
      outcome,
      position: { partition: 0, offset: 1, at: door.clock.now() },
    });
    door.answers.answer({ commandId: command.commandId, outcome, replayed: false });
    const decided = await repeat;
    expect([decided.status, door.commands.length]).toEqual([202, 1]);
    expect((await door.ask(location)).json.data).toEqual({ commandId, state: 'accepted', outcome: { status: 202, body: decided.json } });
    expect((await door.ask(location, { as: 'viewer' })).json.data, 'of somebody else’s command nothing is told').toEqual({
      commandId,
      state: 'pending',
    });
    door.clock.advance(86_400_000);
    expect((await door.ask(location)).status, 'after a day nobody knows').toBe(404);
  });

  test('respond-async does not wait', async () => {
    door.worker = null;
    const { status, json } = await door.post(TRIGGER, {}, { prefer: 'respond-async' });
    expect([status, json.data.state]).toEqual([202, 'pending']);
  });

  test('a machine that is broken is 503 with Retry-After, and says nothing of it', async () => {
    const load = async () => {
      throw new Error('secret detail of the disk');
    };
    const broken = startDoor({
      deps: { snapshots: { load, list: async () => [], waiting: async () => [], claimable: async () => [], marks: async () => new Map() } },
    });
    const { status, json, headers, text } = await broken.ask('/api/v1/tasks/t');
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    expect(text).not.toContain('secret detail');
  });

  test.each([TRIGGER, '/api/v1/api-keys', '/api/v1/executions/claim'])(
    'a machine that is broken is a 503 that names the command of POST %s',
    async (path) => {
      const identify = async () => {
        throw new Error('the key store is away');
      };
      const broken = startDoor({ deps: { credentials: { identify, signer: async () => undefined } } });
      const { status, json, headers } = await broken.post(path, {});
      expect([status, json.code]).toEqual([503, 'unavailable']);
      expect(headers.get('x-command-id')).toMatch(/^[\w-]+$/);
      expect(json.instance).toBe(`/api/v1/commands/${headers.get('x-command-id')}`);
      const read = await broken.ask('/api/v1/tasks/t');
      expect([read.json.instance, read.headers.get('x-command-id')]).toEqual(['/api/v1/tasks/t', null]);
    },
  );

  test('past a limit it is 429 with the three headers', async () => {
    const limits = { userPerHour: 1, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 };
    const limited = startDoor({ config: { limits } });
    await limited.post(TRIGGER);
    const { status, json, headers } = await limited.post(TRIGGER);
    expect([status, json.code]).toEqual([429, 'rate_limited']);
    expect(headers.get('retry-after')).toBe('2');
    expect(headers.get('ratelimit')).toBe('"user";r=0;t=2');
    expect(headers.get('ratelimit-policy')).toBe('"user";q=1;w=3600');
  });
});

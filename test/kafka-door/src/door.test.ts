import { TOPICS } from '@retrigger/ports/log.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sent, signed } from './signed-record.ts';
import { World } from './world.ts';

const trigger = (commandId: string, taskId = 't', body: Sent['body'] = {}): Sent => ({ commandId, type: 'TriggerTask', taskId, body });
const cancel = (commandId: string, taskId: string, reason: string): Sent => ({ commandId, type: 'CancelTask', taskId, body: { reason } });

let world: World;
beforeEach(async () => {
  world = new World();
  await world.startWorker();
  await world.openDoor();
  await world.http('POST', '/api/v1/tasks', { taskId: 't', type: 'job' });
});
afterEach(() => world.end());

describe('a published command', () => {
  test('is handed in with everything from its signer and its record; its sender knows it by their own id', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await world.publish(signed(trigger('rollout-8', 't', { triggerReason: 'why' }), { headers: { traceparent } }));
    await world.decided();
    expect(world.work().at(-1)).toEqual({
      commandId: expect.stringMatching(/^[\w-]{22}$/),
      tenantId: 'acme',
      taskId: 't',
      actor: { id: expect.stringMatching(/^u_[\w-]{22}$/), type: 'user' },
      roles: ['admin'],
      correlationId: 'rollout-8',
      traceparent,
      fingerprint: expect.objectContaining({ 'body.triggerReason': expect.any(String) }),
      replyTo: 'memory',
      type: 'TriggerTask',
      body: { triggerReason: 'why' },
    });
    const [, event] = await world.history('acme/t');
    expect(event).toMatchObject({ eventType: 'TaskTriggered', correlationId: 'rollout-8' });
    const told = await world.command('rollout-8');
    expect(told).toMatchObject({ commandId: 'rollout-8', state: 'accepted', outcome: { status: 202, body: { data: { taskId: 't' } } } });
    expect(await world.command(event?.commandId ?? '')).toMatchObject({ state: 'accepted', outcome: told.outcome });
  });

  test('may create a task without naming it: its record is keyed by the tenant alone', async () => {
    await world.publish(signed({ commandId: 'new', type: 'CreateTask', body: { type: 'job' } }));
    await world.publish(
      signed({ commandId: 'named', type: 'CreateTask', body: { type: 'job', taskId: 'inside' } }, { key: 'acme/inside' }),
    );
    await world.publish(signed({ commandId: 'outside', type: 'CreateTask', taskId: 'outside', body: { type: 'job' } }));
    await world.publish(signed({ commandId: 'both', type: 'CreateTask', taskId: 'one', body: { type: 'job', taskId: 'two' } }));
    await world.decided();
    const made = async (id: string) => (await world.command(id)).outcome?.body.data;
    expect(await made('new')).toMatchObject({ taskId: expect.stringMatching(/^task_[\w-]{22}$/), owner: 'ann' });
    expect(await made('named')).toMatchObject({ taskId: 'inside' });
    expect(await made('outside')).toMatchObject({ taskId: 'outside' });
    expect(await world.command('both')).toMatchObject({
      state: 'refused',
      outcome: { status: 400, body: { errors: [{ path: 'taskId' }] } },
    });
  });

  test.each([
    ['no executionId', 'StartExecution', {}, 400],
    ['one that can be none', 'StartExecution', { executionId: 'x' }, 404],
    ['another task’s', 'StartExecution', { executionId: `u.${'a'.repeat(22)}` }, 400],
    ['one that is not current', 'CompleteExecution', { executionId: `t.${'a'.repeat(22)}`, result: 1 }, 409],
  ])('that reports an execution with %s is refused', async (_, type, body, status) => {
    await world.publish(signed({ commandId: 'r', type, taskId: 't', body }));
    await world.decided();
    expect(await world.command('r')).toMatchObject({ state: 'refused', outcome: { status } });
  });

  test('says nothing of what a sensitive task holds, nor of its sender’s name, on the work log and in what is stored', async () => {
    const context = { patient: 'somebody-in-particular' };
    await world.publish(signed({ commandId: 's', type: 'CreateTask', taskId: 's', body: { type: 'job', sensitive: true, context } }));
    await world.decided();
    expect(await world.command('s')).toMatchObject({ state: 'accepted', outcome: { body: { data: { context, owner: 'ann' } } } });
    const kept = [...world.log.records(TOPICS.work).map(({ value }) => value.toString()), JSON.stringify(await world.stored('acme/s'))];
    expect(kept.join('\n')).not.toMatch(/somebody-in-particular|"ann"/);
  });

  const UNREADABLE: [what: string, value: string, reason: string][] = [
    ['nothing', '', 'malformed JSON'],
    ['no JSON', 'hello', 'malformed JSON'],
    ['no object', '[]', 'the value must be an object'],
    ['no body', '{"commandId":"c","type":"TriggerTask","taskId":"t"}', 'body must be an object'],
    ['a body that is none', '{"commandId":"c","type":"TriggerTask","taskId":"t","body":[]}', 'body must be an object'],
    ['no task', '{"commandId":"c","type":"TriggerTask","body":{}}', 'TriggerTask needs a taskId'],
    ['a bad commandId', '{"commandId":"a b","type":"TriggerTask","taskId":"t","body":{}}', 'commandId must be'],
    ['a bad taskId', '{"commandId":"c","type":"TriggerTask","taskId":"bulk","body":{}}', 'taskId is no task id'],
    ['an unknown field', '{"commandId":"c","type":"TriggerTask","taskId":"t","body":{},"roles":["admin"]}', 'roles is not a known field'],
    ['__proto__', '{"commandId":"c","type":"TriggerTask","taskId":"t","body":{"__proto__":{}}}', 'is not allowed as a name'],
    ['a name twice', '{"commandId":"c","type":"TriggerTask","taskId":"t","taskId":"u","body":{}}', 'taskId: is given more than once'],
  ];
  test.each(UNREADABLE)('that is %s goes to the dead letters with why', async (_, value, reason) => {
    await world.publish(signed(Buffer.from(value), { key: 'acme/t' }));
    await world.taken();
    expect(world.reasons()).toEqual([expect.stringContaining(reason)]);
    expect(world.deadLetters()[0]?.value.toString()).toBe(value);
  });

  test('that is not framed, or of a schema that nobody knows, goes to the dead letters; a body of a megabyte does not', async () => {
    const avro = signed(trigger('big', 't', { triggerReason: 'x' }), { avro: true });
    await world.publish({ ...avro, value: Buffer.from('hello') }, { ...avro, value: Buffer.from([0, 0, 0, 0, 9, 2, 97]) });
    await world.publish({ ...avro, value: Buffer.from([0, 0, 0, 0, 7, 200]) }, { ...avro, value: Buffer.from('{}') });
    const large = 'x'.repeat(1_048_576);
    await world.publish(
      signed(trigger('large', 't', { triggerReason: large })),
      signed(trigger('large', 't', { triggerReason: large }), { avro: true }),
    );
    await world.taken();
    expect(world.reasons().toSorted()).toEqual([
      'the body is 1048596 bytes long; a body has at most 1048576',
      'the body is 1048596 bytes long; a body has at most 1048576',
      'the registry knows no schema 9',
      'the value is not in registry framing',
      'the value is not in registry framing; JSON needs the header content-type: application/json',
      'the value is not what schema 7 says',
    ]);
    const most = 'x'.repeat(1_048_000);
    await world.publish(signed(trigger('most', 't', { triggerReason: most })));
    await world.taken();
    expect(await world.command('most')).toMatchObject({ state: 'refused', outcome: { status: 400 } });
  });
});

describe('under one commandId', () => {
  test('the same again changes nothing, in one batch, in another and at another gateway', async () => {
    await world.openDoor();
    await world.publish(signed(trigger('c')), signed(trigger('c')));
    await world.decided();
    await world.publish(signed(trigger('c'), { avro: true }));
    await world.decided();
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(world.reasons()).toEqual([]);
  });

  test.each([
    ['body', trigger('c', 't', { triggerReason: 'other' })],
    ['type', cancel('c', 't', 'no')],
    ['task', trigger('c', 'u')],
  ])('another %s is refused and kept as a dead letter; the id’s outcome stays the first one’s', async (_, other) => {
    await world.http('POST', '/api/v1/tasks', { taskId: 'u', type: 'job' });
    await world.publish(signed(trigger('c')));
    await world.decided();
    await world.publish(signed(other));
    await world.decided();
    expect(world.reasons()).toEqual(['the commandId was used for another command before']);
    expect([await world.types('acme/t'), await world.types('acme/u')]).toEqual([['TaskCreated', 'TaskTriggered'], ['TaskCreated']]);
    expect(await world.command('c')).toMatchObject({ state: 'accepted' });
  });

  test('a command that was refused at the door may be sent again, mended', async () => {
    await world.publish(signed(trigger('c', 't', { triggerReason: 7 })));
    await world.decided();
    expect(await world.command('c')).toMatchObject({ state: 'refused', outcome: { status: 400 } });
    await world.publish(signed(trigger('c', 't', { triggerReason: 'seven' })));
    await world.decided();
    expect(await world.command('c')).toMatchObject({ state: 'accepted' });
  });
});

describe('a crash between hand-in and commit', () => {
  test('brings the batch again, and does nothing twice (K1)', async () => {
    let crashes = 0;
    world.beforeCommit = async () => {
      if (crashes++ < 2) throw new Error('killed');
    };
    await world.publish(signed(trigger('c')), signed(trigger('bad', 't', { triggerReason: 7 })), signed(Buffer.from('hello')));
    await world.decided();
    expect(crashes).toBeGreaterThanOrEqual(3);
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(await world.command('bad')).toMatchObject({ state: 'refused' });
    expect(new Set(world.reasons()).size, 'a dead letter may stand twice, never be missing').toBe(1);
  });
});

test('commands of one key are handed in in the order of the log, many keys at once (K2)', async () => {
  const ids = Array.from({ length: 40 }, (_, n) => `task-${n}`);
  await world.publish(...Array.from({ length: 5 }, (_, n) => ids.map((id) => signed(cancel(`${id}.${n}`, id, String(n))))).flat());
  await world.decided();
  for (const id of ids) {
    const reasons = world.work().flatMap(({ taskId, body }) => (taskId === id ? [(body as { reason: string }).reason] : []));
    expect(reasons).toEqual(['0', '1', '2', '3', '4']);
  }
});

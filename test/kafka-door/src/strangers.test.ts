import { INTERNAL_COMMANDS } from '@retrigger/domain/task/commands.ts';
import { deadLettersIn, NO_TENANT } from '@retrigger/engine/dead-letter-store.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sent, type Signing, signed } from './signed-record.ts';
import { World } from './world.ts';

const TRIGGER: Sent = { commandId: 'c', type: 'TriggerTask', taskId: 't', body: {} };
const HOUR_MS = 3_600_000;
const NOT_PROVEN = 'the signature is not that of a key that is good now';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.startWorker();
  await world.openDoor();
  await world.http('POST', '/api/v1/tasks', { taskId: 't', type: 'job' });
});
afterEach(() => world.end());

describe('who did not sign', () => {
  const WRONG: [what: string, signing: Signing, reason: string][] = [
    ['no signature', { headers: { 'retrigger-signature': null } }, 'it needs the headers'],
    ['no key', { headers: { 'retrigger-key-id': null } }, 'it needs the headers'],
    ['no timestamp', { headers: { 'retrigger-timestamp': null } }, 'it needs the headers'],
    ['another secret', { secret: 'guessed' }, NOT_PROVEN],
    ['an unknown key', { headers: { 'retrigger-key-id': 'nobody-key' } }, NOT_PROVEN],
    ['a key id that can be none', { headers: { 'retrigger-key-id': 'a b' } }, NOT_PROVEN],
    ['somebody else’s key', { headers: { 'retrigger-key-id': 'bob-key' } }, NOT_PROVEN],
    ['a signature of another topic', { topic: 'retrigger.events' }, NOT_PROVEN],
    [
      'another timestamp than was signed',
      { headers: { 'retrigger-timestamp': new Date().toISOString() }, at: Date.now() - 1_000 },
      NOT_PROVEN,
    ],
    ['a content type that was not signed', { headers: { 'content-type': 'application/json; charset=utf-8' } }, NOT_PROVEN],
    ['a signature that is none', { headers: { 'retrigger-signature': 'abc' } }, 'is not 64 hexadecimal digits'],
    ['a time that is none', { at: 'yesterday' }, 'is no instant'],
    ['an old time', { at: Date.now() - HOUR_MS - 60_000 }, 'is over an hour from the log’s time'],
    ['a time to come', { at: Date.now() + HOUR_MS + 60_000 }, 'is over an hour from the log’s time'],
    ['a repeated header', { headers: { 'retrigger-key-id': 'ann-key\nbob-key' } }, 'stands there more than once'],
    ['any repeated header', { headers: { 'x-anything': 'a\na' } }, 'stands there more than once'],
  ];

  test.each(WRONG)('%s: dead letters only', async (_, signing, reason) => {
    const record = signed(TRIGGER, signing);
    await world.publish(record);
    await world.decided();
    const [dead, ...more] = world.deadLetters();
    expect(more).toEqual([]);
    expect(dead).toMatchObject({ key: 'acme/t', value: record.value });
    expect(dead?.headers).toMatchObject({
      ...{ reason: expect.stringContaining(reason), 'source-topic': 'retrigger.commands', 'source-offset': '0' },
      ...{ 'source-partition': expect.stringMatching(/^[01]$/), at: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    expect(await world.types('acme/t')).toEqual(['TaskCreated']);
    expect(await world.command('c')).toEqual({ commandId: 'c', state: 'pending' });
    expect(world.counted).toContain('dead_letters_total retrigger.commands');
  });

  test('what was signed can’t be changed: neither value nor key', async () => {
    const record = signed(TRIGGER);
    await world.publish({ ...record, value: Buffer.from(JSON.stringify({ ...TRIGGER, body: { triggerReason: 'mine' } })) });
    await world.publish({ ...record, key: 'acme/u' });
    await world.decided();
    expect(world.reasons()).toEqual([NOT_PROVEN, NOT_PROVEN]);
  });

  test('a signature in capitals, and a time without milliseconds, prove as much', async () => {
    const record = signed(TRIGGER, { at: new Date().toISOString().replace(/\.\d+/, '') });
    record.headers['retrigger-signature'] = record.headers['retrigger-signature']?.toUpperCase() ?? '';
    await world.publish(record);
    await world.decided();
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'TaskTriggered']);
  });
});

test('a dead letter of an outsider is no tenant’s and no notification, whatever its key and headers say', async () => {
  const forged = { subscription: 's', delivery: 'd', sequence: '1', attempts: 'many', 'source-topic': 'retrigger.events' };
  await world.publish({ ...signed(TRIGGER), headers: forged });
  await world.taken();
  const store = deadLettersIn(new MemoryDocumentStore());
  for (const record of world.deadLetters()) await store.collect(record);
  expect(await store.list('acme', 'open', null, 10)).toEqual([]);
  expect(await store.list(NO_TENANT, 'open', null, 10)).toMatchObject([
    { topic: 'retrigger.commands', key: 'acme/t', notification: null, attempts: 1, headers: { subscription: 's', delivery: 'd' } },
  ]);
});

describe('what nobody may say', () => {
  test.each([...INTERNAL_COMMANDS, 'EraseData', 'Nonsense', 'constructor', '__proto__'])(
    '%s is no command of a door, however well signed',
    async (type) => {
      for (const avro of [false, true]) await world.publish(signed({ commandId: `c-${avro}`, type, taskId: 't', body: {} }, { avro }));
      await world.decided();
      expect(world.reasons()).toEqual(Array(2).fill('type is no command that a door takes'));
      expect(world.work().map(({ type }) => type)).toEqual(['CreateTask']);
    },
  );

  test.each([
    ['another tenant', { key: 'other/t' }],
    ['another task', { key: 'acme/u' }],
    ['the tenant alone', { key: 'acme' }],
    ['nothing', { key: '' }],
  ])('a record that is keyed by %s is refused, and the task’s history shows it', async (_, signing) => {
    await world.publish(signed(TRIGGER, signing));
    await world.decided();
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'CommandRefused']);
    expect(await world.types('other/t')).toEqual([]);
    expect((await world.history('acme/t'))[1]).toMatchObject({
      actor: { id: 'ann', type: 'user' },
      metadata: { command: 'TriggerTask', code: 'forbidden' },
    });
    expect(await world.command('c')).toMatchObject({
      state: 'refused',
      outcome: { status: 403, body: { code: 'forbidden', detail: 'The record’s key must be acme/t' } },
    });
  });

  test('somebody of another tenant finds no task there, whatever they name', async () => {
    await world.publish(signed(TRIGGER, { as: 'bob' }));
    await world.publish(signed({ ...TRIGGER, commandId: 'd' }, { as: 'bob', key: 'acme/t' }));
    await world.decided();
    expect(await world.types('acme/t')).toEqual(['TaskCreated']);
    for (const id of ['c', 'd']) expect(await world.command(id, 'bob')).toMatchObject({ state: 'refused', outcome: { status: 404 } });
  });

  test('a commandId is its user’s own: the same id of others is another command, and tells them nothing', async () => {
    await world.publish(signed(TRIGGER));
    await world.decided();
    expect(await world.command('c')).toMatchObject({ state: 'accepted' });
    for (const as of ['otto', 'bob']) expect(await world.command('c', as)).toEqual({ commandId: 'c', state: 'pending' });
    await world.publish(signed({ ...TRIGGER, type: 'CancelTask', body: { reason: 'otto’s' } }, { as: 'otto' }));
    await world.decided();
    expect(await world.command('c', 'otto')).toMatchObject({ state: 'refused', outcome: { status: 403 } });
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'TaskTriggered', 'CommandRefused']);
  });

  test('the id of a command that came over HTTP can’t be taken', async () => {
    const [created] = await world.history('acme/t');
    const taken = created?.commandId ?? '';
    await world.publish(signed({ ...TRIGGER, commandId: taken }));
    await world.decided();
    const ids = (await world.history('acme/t')).map(({ commandId }) => commandId);
    expect(new Set(ids).size).toBe(2);
    expect(await world.types('acme/t')).toEqual(['TaskCreated', 'TaskTriggered']);
  });
});

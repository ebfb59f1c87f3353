import { ASKED_DELIVERIES, deliveryDocument } from '@retrigger/engine/deliveries.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { failed, HANGS, TENANT, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const eventually = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
const sequences = (taskId: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${taskId}/${i + 1}`);
const nothingWaits = () => eventually(async () => expect(await world.waiting()).toEqual([]));

describe('whom an event is told', () => {
  test('each subscription that asks for its type and task, and no other', async () => {
    await world.subscribe('all');
    await world.subscribe('type', { events: ['TaskStarted'] });
    await world.subscribe('task', { tasks: ['b'] });
    await world.subscribe('elsewhere', { tenantId: 'other' });
    await world.start();
    await world.happens('a', 2);
    await world.happens('b', 1);
    await nothingWaits();
    await eventually(() => expect(world.committed()).toBe(3));
    expect(world.channel.to('all').toSorted()).toEqual(['a/1', 'a/2', 'b/1']);
    expect(world.channel.to('type')).toEqual(['a/2']);
    expect(world.channel.to('task')).toEqual(['b/1']);
    expect(world.channel.to('elsewhere')).toEqual([]);
  });

  test('of critical tasks only, where that was asked for; a task that nothing is known of counts as critical', async () => {
    await world.subscribe('alerts', { criticalOnly: true });
    world.critical.set(`${TENANT}/calm`, false).set(`${TENANT}/urgent`, true);
    await world.start();
    for (const taskId of ['calm', 'urgent', 'unknown']) await world.happens(taskId, 1);
    await eventually(() => expect(world.committed()).toBe(3));
    await nothingWaits();
    expect(world.channel.to('alerts').toSorted()).toEqual(['unknown/1', 'urgent/1']);
  });

  test('a subscription that was made before the event, however short (K1)', async () => {
    await world.start();
    for (let i = 0; i < 20; i++) {
      await world.subscribe(`late-${i}`, { tasks: [`t${i}`] });
      await world.happens(`t${i}`, 1);
    }
    await eventually(() => expect(world.channel.sent.length).toBe(20));
  });

  test('a topic that steps back tells nothing again (W9)', async () => {
    await world.subscribe('one');
    await world.start();
    const stored = await world.happens('t', 3);
    await eventually(() => expect(world.committed()).toBe(3));
    await world.tell(stored);
    await eventually(() => expect(world.committed()).toBe(6));
    await nothingWaits();
    expect(world.channel.to('one')).toEqual(sequences('t', 3));
  });

  test('a topic that has stepped back by the time that it is read tells nothing again (W9)', async () => {
    await world.subscribe('one');
    await world.tell(await world.happens('t', 3));
    await world.start();
    await eventually(() => expect(world.committed()).toBe(6));
    await nothingWaits();
    expect(world.channel.to('one')).toEqual(sequences('t', 3));
  });
});

describe('a subscriber that fails', () => {
  test('has each event tried as often as the policy says; the task’s next one waits for it (Q1)', async () => {
    await world.subscribe('one');
    world.channel.answer = () => failed;
    await world.start();
    await world.happens('t', 2);
    await eventually(() => expect(world.committed()).toBe(2));
    await nothingWaits();
    expect(world.channel.to('one')).toEqual(['t/1', 't/1', 't/1', 't/2', 't/2', 't/2']);
    await eventually(async () => expect((await world.letters()).toSorted()).toEqual(['t/1', 't/2']));
  });

  test('is one at a time, while a healthy one has several (Q2)', async () => {
    await world.subscribe('ill');
    let isFirst = true;
    world.channel.answer = () => {
      if (!isFirst) return HANGS;
      isFirst = false;
      return failed;
    };
    await world.start();
    await world.happens('t0', 1);
    await eventually(() => expect(world.channel.sent.length).toBe(2));
    for (let i = 1; i < 10; i++) await world.happens(`t${i}`, 1);
    await eventually(() => expect(world.committed()).toBe(10));
    expect(world.channel.sent.length).toBe(2);
  });

  test('and hangs for ever holds up no partition and nobody else (W1)', async () => {
    await world.subscribe('hanging');
    await world.subscribe('well');
    world.channel.answer = (address) => (address === 'hanging' ? HANGS : { kind: 'delivered' });
    await world.start();
    for (let i = 0; i < 50; i++) await world.happens(`t${i}`, 2);
    await eventually(() => expect(world.channel.to('well').length).toBe(100));
    await eventually(() => expect(world.committed()).toBe(100));
    expect(world.channel.to('hanging').length).toBe(8);
  });

  test('is paused when it has given up too much in a row; then nothing is sent, and nothing is lost (Q3)', async () => {
    await world.subscribe('one');
    world.channel.answer = () => failed;
    await world.start({ policy: { attempts: 1, retryMs: 1, holdMs: 3_600_000, pauseAfter: 2 } });
    await world.happens('a', 1);
    await world.happens('b', 1);
    await eventually(async () => expect((await world.subscription('one'))?.paused?.reason).toBe('It answered 500'));
    const before = world.channel.sent.length;
    await world.happens('c', 3);
    await eventually(async () => expect(await world.waiting()).toHaveLength(3));
    expect(world.channel.sent.length).toBe(before);
  });

  test('has what is too old given up without another attempt', async () => {
    await world.subscribe('one', { paused: { at: '2026-03-01T00:00:00.000Z', reason: 'It answered 500' } });
    await world.start({ policy: { attempts: 3, retryMs: 1, holdMs: 0, pauseAfter: 2 } });
    await world.happens('t', 2);
    await eventually(async () => expect(await world.letters()).toHaveLength(2));
    await nothingWaits();
    expect(world.channel.sent).toEqual([]);
  });
});

describe('memory and store are bounded', () => {
  const bounds = { loaded: 10, stored: 10_000 };

  test('what does not fit into memory is read from the store, in order, and all of it arrives (B1, B2)', async () => {
    await world.subscribe('one');
    const gate = Promise.withResolvers<void>();
    world.channel.answer = async () => {
      await gate.promise;
      return { kind: 'delivered' };
    };
    await world.start({ bounds });
    for (let i = 0; i < 60; i++) await world.happens(`t${i}`, 5);
    await eventually(() => expect(world.committed()).toBe(300));
    gate.resolve();
    await nothingWaits();
    for (let i = 0; i < 60; i++) expect(world.channel.to('one').filter((name) => name.startsWith(`t${i}/`))).toEqual(sequences(`t${i}`, 5));
  });

  test('the same while new ones come in', async () => {
    await world.subscribe('one');
    await world.start({ bounds });
    for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 10 }, (_, j) => world.happens(`t${i}-${j}`, 2)));
    await eventually(() => expect(world.committed()).toBe(800));
    await nothingWaits();
    expect(new Set(world.channel.to('one')).size).toBe(800);
  });

  test('what is too much for the store goes to the dead letters', async () => {
    await world.subscribe('one');
    world.channel.answer = () => HANGS;
    await world.start({ bounds: { loaded: 5, stored: 20 } });
    for (let i = 0; i < 100; i++) await world.happens(`t${i}`, 1);
    await eventually(() => expect(world.committed()).toBe(100));
    await eventually(async () => expect((await world.letters()).length + (await world.waiting()).length).toBe(100));
    expect((await world.letters()).length).toBe(60);
  });
});

describe('what people ask for', () => {
  const ask = (id: string, subscriptionId: string) =>
    world.documents.write(
      deliveryDocument({
        ...{ tenantId: TENANT, subscriptionId, id, line: id, event: null, source: { partition: 0, offset: 0, at: 0 } },
        ...{ attempts: 0, dueAt: 0, storedAt: 0, kind: ASKED_DELIVERIES, version: 1 },
      }),
    );

  test('a test reaches a paused subscription, resumes it, and what was held follows', async () => {
    await world.subscribe('one', { paused: { at: '2026-03-01T00:00:00.000Z', reason: 'It answered 500' } });
    await world.start();
    await world.happens('t', 2);
    await eventually(() => expect(world.committed()).toBe(2));
    expect(world.channel.sent).toEqual([]);
    await ask('test_1', 'one');
    await nothingWaits();
    expect(world.channel.sent.map(({ notification }) => notification.about.kind)).toEqual(['test', 'event', 'event']);
    expect(await world.subscription('one')).toMatchObject({ paused: null, lastTest: { reason: null } });
  });

  test('a test that fails leaves it paused and is not tried again', async () => {
    await world.subscribe('one', { paused: { at: '2026-03-01T00:00:00.000Z', reason: 'It answered 500' } });
    world.channel.answer = () => failed;
    await world.start();
    await ask('test_1', 'one');
    await nothingWaits();
    expect(world.channel.sent).toHaveLength(1);
    expect(await world.subscription('one')).toMatchObject({ paused: {}, lastTest: { reason: 'It answered 500' } });
  });

  test('a dead letter that is sent again reaches a paused subscription, past what is held, and resumes it', async () => {
    await world.subscribe('one', { paused: { at: '2026-03-01T00:00:00.000Z', reason: 'It answered 500' } });
    await world.start();
    await world.happens('t', 3);
    await eventually(() => expect(world.committed()).toBe(3));
    expect(world.channel.sent).toEqual([]);
    await world.documents.write(
      deliveryDocument({
        ...{ tenantId: TENANT, subscriptionId: 'one', id: 'again_1', line: 'again_1', event: { key: `${TENANT}/t`, sequence: 2 } },
        ...{ source: { partition: 0, offset: 0, at: 0 }, attempts: 0, dueAt: 0, storedAt: Date.now(), kind: ASKED_DELIVERIES, version: 1 },
      }),
    );
    await nothingWaits();
    expect(world.channel.to('one')).toEqual(['t/2', ...sequences('t', 3)]);
    expect(await world.subscription('one')).toMatchObject({ paused: null });
  });

  test('one of a subscription that is gone is forgotten', async () => {
    await world.start();
    await ask('test_1', 'nobody');
    await nothingWaits();
    expect(world.channel.sent).toEqual([]);
  });
});

test('an event that can not be read is a dead letter, and the others are told', async () => {
  await world.subscribe('one');
  await world.start();
  await world.log.append(TOPICS.events, [{ key: `${TENANT}/t`, value: Buffer.from('{"no":"event"}'), headers: {} }]);
  await world.happens('t', 1);
  await eventually(async () => expect(await world.letters()).toEqual(['t/undefined']));
  await eventually(() => expect(world.channel.to('one')).toEqual(['t/1']));
});

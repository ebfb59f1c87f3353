import { EMPTY_HEAD, NO_HASH, type StoredEvent } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { nextEvent } from '@retrigger/domain/next-event.ts';
import type { OpenEvent } from '@retrigger/domain/privacy/sealed-form.ts';
import { eraseFirst } from '@retrigger/engine/erase-first.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { asked, privacyWorld } from './privacy-world.ts';

/** An event of a sensitive task that Ada created, as it is stored. */
async function storedEvent(world: ReturnType<typeof privacyWorld>, more: JsonObject = {}): Promise<StoredEvent> {
  const { ring, sealing } = world.process();
  const owner = await ring.tokenOf('acme', 'ada "the" countess');
  const command = await sealing.seal(asked('pay', 'CreateTask', { type: 'job', sensitive: true, context: { iban: 'DE00' } }));
  const decision = { eventType: 'TaskCreated', schemaVersion: 1, newState: 'Draft', metadata: { ...command.body, owner, ...more } };
  const position = { partition: 0, offset: 0, at: world.clock.now() };
  return nextEvent(EMPTY_HEAD, null, { ...command, actor: { id: owner, type: 'user' } }, decision, position);
}

describe('what is shown', () => {
  let world: ReturnType<typeof privacyWorld>;
  let stored: StoredEvent;
  beforeEach(async () => {
    world = privacyWorld();
    stored = await storedEvent(world);
  });
  const shown = async (one = stored): Promise<OpenEvent> => {
    const [open] = await world.process().disclosure.events('acme', [one]);
    const read = JSON.parse(open?.json ?? '');
    expect(read).toEqual(open?.event);
    return read;
  };

  test('events are opened, and carry what proves it', async () => {
    const event = await shown();
    expect(event.actor.id).toBe('ada "the" countess');
    expect(event.metadata).toMatchObject({ owner: 'ada "the" countess', context: { iban: 'DE00' } });
    expect(Object.keys(event.sealed ?? {})).toEqual(['/actor/id', '/metadata/owner', '/metadata/context']);
    expect(firstBreak([event], 1, NO_HASH)).toBeUndefined();
  });

  test('an event that hides its actor only is the stored text with the name in it', async () => {
    const { ring } = world.process();
    const actor = { id: await ring.tokenOf('acme', 'ada "the" countess'), type: 'user' } as const;
    const decision = { eventType: 'TaskStarted', schemaVersion: 1, newState: 'Running', metadata: { executionId: 'e' } };
    const position = { partition: 0, offset: 0, at: world.clock.now() };
    const event = await shown(nextEvent(EMPTY_HEAD, 'Draft', { ...asked('pay', 'Check', {}), actor }, decision, position));
    expect([event.actor.id, Object.keys(event.sealed ?? {})]).toEqual(['ada "the" countess', ['/actor/id']]);
    expect(firstBreak([event], 1, NO_HASH)).toBeUndefined();
  });

  test('on the events topic users have names, and what a sensitive task holds stays sealed', async () => {
    const [open] = await world.process().disclosure.named([stored]);
    expect(open?.event.actor.id).toBe('ada "the" countess');
    expect(open?.event.metadata.context).toEqual(stored.event.metadata.context);
    expect(firstBreak([open?.event as OpenEvent], 1, NO_HASH)).toBeUndefined();
  });

  test('what can’t be opened any more is shown as it is stored (O1)', async () => {
    const { ring } = world.process();
    await ring.destroy((await ring.findToken('acme', 'ada "the" countess')) ?? '');
    const event = await shown();
    expect(event.actor.id).toBe(stored.event.actor.id);
    expect(event.metadata.context).toEqual({ iban: 'DE00' });
    await ring.destroy((await ring.findKey('acme', 'pay'))?.token ?? '');
    expect(await shown()).toEqual(stored.event);
  });

  test('a token or a sealed value that a user wrote somewhere else is opened for nobody (O2)', async () => {
    const { actor, metadata } = stored.event;
    const planted = await storedEvent(world, { type: actor.id, notes: { who: actor.id, what: metadata.context } });
    const event = await shown(planted);
    expect(event.metadata).toMatchObject({ type: actor.id, notes: { who: actor.id, what: metadata.context } });
  });

  test('a task’s own sealed value in another task’s place stays sealed', async () => {
    const { metadata } = stored.event;
    const { disclosure } = world.process();
    expect((await disclosure.task('acme', { taskId: 'other', context: metadata.context ?? null })).context).toEqual(metadata.context);
    expect((await disclosure.task('acme', { taskId: 'pay', context: metadata.context ?? null })).context).toEqual({ iban: 'DE00' });
  });
});

test('what an event says is destroyed is destroyed before the event is stored (W1)', async () => {
  const told: string[] = [];
  const store = {
    async write() {
      told.push('stored');
      return { kind: 'stored' as const };
    },
  };
  const decisions = eraseFirst(store, async (token) => void told.push(`destroyed ${token}`));
  const decision = { eventType: 'DataErased', schemaVersion: 1, newState: null, metadata: { subject: 'user', token: 'u_x' } };
  const event = nextEvent(EMPTY_HEAD, null, asked('~tenant', 'EraseData', {}), decision, { partition: 0, offset: 0, at: 1 });
  await decisions.write({ events: [event], receipts: [], snapshots: [] });
  expect(told).toEqual(['destroyed u_x', 'stored']);
  const failing = eraseFirst(store, async () => Promise.reject(new Error('away')));
  await expect(failing.write({ events: [event], receipts: [], snapshots: [] })).rejects.toThrow('away');
  expect(told).toHaveLength(2);
});

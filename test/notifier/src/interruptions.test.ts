import { ASKED_DELIVERIES, deliveryDocument } from '@retrigger/engine/deliveries.ts';
import { clockOf } from '@retrigger/lifecycle/system-clock.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HANGS, TENANT, World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const eventually = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 });
const sequences = (taskId: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${taskId}/${i + 1}`);
const nothingWaits = () => eventually(async () => expect(await world.waiting()).toEqual([]));

/** What a subscriber sees that drops what is not newer. */
const newestOf = (names: string[]): string[] =>
  names.filter((name, i) => names.slice(0, i).every((earlier) => Number(earlier.split('/')[1]) < Number(name.split('/')[1])));

/** Makes the store reachable for so many new documents more. Those that it is asked for one by one, but at once, it does last come first, as a store may. */
function diesAfter(writes: number, documents: DocumentStore): void {
  const write = documents.write.bind(documents);
  let left = writes;
  const asked: (() => Promise<void>)[] = [];
  const reach = async (document: Document): Promise<'written' | 'conflict'> => {
    if (left-- <= 0) throw new Error('the store is away');
    return write(document);
  };
  documents.write = (document) => {
    const { promise, resolve, reject } = Promise.withResolvers<'written' | 'conflict'>();
    asked.push(() => reach(document).then(resolve, reject));
    if (asked.length === 1)
      setImmediate(() =>
        asked
          .splice(0)
          .toReversed()
          .map((one) => one()),
      );
    return promise;
  };
  documents.make = async (some) => {
    const told: ('written' | 'conflict')[] = [];
    for (const document of some) told.push(await reach(document));
    return told;
  };
}

describe('a notifier that ends', () => {
  test('leaves what hung to the next one, with the attempts that were made (W2, W4)', async () => {
    await world.subscribe('one');
    let isOver = false;
    world.channel.answer = () => (isOver ? { kind: 'delivered' } : HANGS);
    const first = await world.start();
    for (let i = 0; i < 30; i++) await world.happens(`t${i}`, 2);
    await eventually(() => expect(world.committed()).toBe(60));
    await first.stop();
    expect(await world.waiting()).toHaveLength(60);
    isOver = true;
    await world.start();
    await nothingWaits();
    expect(await world.letters()).toEqual([]);
  });

  test('before it could commit leaves the same deliveries to the next one, which reads the records again (W1)', async () => {
    await world.subscribe('one');
    world.channel.answer = () => HANGS;
    const first = await world.start({ log: world.logThatCommitsNothing() });
    await world.happens('t', 3);
    await eventually(async () => expect(await world.waiting()).toHaveLength(3));
    await first.stop();
    expect(world.committed()).toBe(0);
    world.channel.answer = () => ({ kind: 'delivered' });
    world.channel.sent.length = 0;
    await world.start();
    await eventually(() => expect(world.committed()).toBe(3));
    await nothingWaits();
    expect(new Set(world.channel.to('one'))).toEqual(new Set(sequences('t', 3)));
    expect(world.channel.to('one').slice(0, 3)).toEqual(sequences('t', 3));
  });

  test('when a dead letter has arrived that was sent again: the next one resumes its subscription all the same (W8)', async () => {
    await world.subscribe('one', { paused: { at: '2026-03-01T00:00:00.000Z', reason: 'It answered 500' } });
    const { write } = world.documents;
    const dies = Promise.withResolvers<void>();
    world.documents.write = async (document) => {
      if (document.kind !== 'subscription') return write.call(world.documents, document);
      dies.resolve();
      throw new Error('the store is away');
    };
    const first = await world.start();
    const [stored] = await world.happens('t', 1);
    const again = {
      tenantId: TENANT,
      subscriptionId: 'one',
      id: 'again_1',
      line: 'again_1',
      event: { key: stored?.key ?? '', sequence: 1 },
    };
    const asked = { attempts: 0, dueAt: 0, storedAt: Date.now(), kind: ASKED_DELIVERIES, version: 1 };
    await world.documents.make([deliveryDocument({ ...again, source: { partition: 0, offset: 0, at: 0 }, ...asked })]);
    await dies.promise;
    await first.stop();
    world.documents.write = write;
    await world.start();
    await eventually(async () => expect(await world.subscription('one')).toMatchObject({ paused: null }));
    await nothingWaits();
  });

  test('while it stores what a batch led to: the next one tells each event after those before it (W6)', async () => {
    await world.subscribe('one');
    const { write, make } = world.documents;
    diesAfter(4, world.documents);
    const first = await world.start();
    await world.happens('t', 6);
    await eventually(async () => expect(await world.waiting()).toHaveLength(4));
    await first.stop();
    Object.assign(world.documents, { write, make });
    await world.start();
    await eventually(() => expect(world.committed()).toBe(6));
    await nothingWaits();
    expect(newestOf(world.channel.to('one'))).toEqual(sequences('t', 6));
  });
});

describe('what was stored by a clock that is ahead', () => {
  const AHEAD_MS = 300_000;

  test('by a notifier is told by the next one at once (W7)', async () => {
    await world.subscribe('one');
    world.channel.answer = () => HANGS;
    const clock = clockOf(
      () => Date.now() + AHEAD_MS,
      () => performance.now(),
    );
    const first = await world.start({ clock });
    await world.happens('t', 3);
    await eventually(() => expect(world.committed()).toBe(3));
    await first.stop();
    world.channel.answer = () => ({ kind: 'delivered' });
    await world.start();
    await nothingWaits();
  });

  test('by a gateway, a test, is sent at once (W7)', async () => {
    await world.subscribe('one');
    await world.start();
    const at = Date.now() + AHEAD_MS;
    const test = {
      tenantId: TENANT,
      subscriptionId: 'one',
      id: 'test_1',
      line: 'test_1',
      event: null,
      source: { partition: 0, offset: 0, at },
    };
    await world.documents.write(deliveryDocument({ ...test, attempts: 0, dueAt: at, storedAt: at, kind: ASKED_DELIVERIES, version: 1 }));
    await nothingWaits();
  });
});

describe('an owner that does not know that it is none any more', () => {
  test('stores deliveries after the next one has looked: that one tells them, in order, when the records come to it (W5)', async () => {
    await world.subscribe('one');
    world.channel.answer = () => HANGS;
    const stalled = await world.start({ log: world.logThatCommitsNothing() });
    await world.happens('t', 1);
    await eventually(async () => expect(await world.waiting()).toHaveLength(1));
    const listAll = world.documents.listAll.bind(world.documents);
    const hasLooked = Promise.withResolvers<void>();
    let looks = 0;
    world.documents.listAll = async (kind, ...args) => {
      const found = kind.startsWith('delivery.') && kind !== 'delivery.asked' ? [] : await listAll(kind, ...args); // as it was before
      if (kind.startsWith('delivery.') && ++looks === 2) hasLooked.resolve();
      return found;
    };
    await stalled.stop();
    world.channel.sent.length = 0;
    world.channel.answer = () => ({ kind: 'delivered' });
    await world.start();
    await hasLooked.promise;
    world.documents.listAll = listAll;
    await world.happens('u', 1);
    await nothingWaits();
    expect(world.channel.to('one').filter((name) => name.startsWith('t/'))).toEqual(sequences('t', 1));
  });
});

describe('a store that fails', () => {
  test('in the middle of a batch: every event still arrives, in the order of its task', async () => {
    await world.subscribe('one');
    const { documents } = world;
    const write = documents.write.bind(documents);
    let writes = 0;
    documents.write = async (document) => {
      if (document.kind.startsWith('delivery.') && document.version === 1 && ++writes % 4 === 2 && writes < 40)
        throw new Error('the store is away');
      const outcome = await write(document);
      if (writes % 7 === 3 && writes < 40) throw new Error('its answer was lost');
      return outcome;
    };
    await world.start();
    for (let i = 0; i < 5; i++) await world.happens(`t${i}`, 6);
    await eventually(() => expect(world.committed()).toBe(30));
    await nothingWaits();
    for (let i = 0; i < 5; i++) expect(world.channel.to('one').filter((name) => name.startsWith(`t${i}/`))).toEqual(sequences(`t${i}`, 6));
    expect(writes).toBeGreaterThan(30);
  });

  test('while a partition is taken over is asked again, and nothing overtakes what it holds', async () => {
    await world.subscribe('one');
    world.channel.answer = () => HANGS;
    const first = await world.start();
    await world.happens('t', 3);
    await eventually(() => expect(world.committed()).toBe(3));
    await first.stop();
    world.channel.sent.length = 0;
    world.channel.answer = () => ({ kind: 'delivered' });
    const listAll = world.documents.listAll.bind(world.documents);
    let failures = 2;
    world.documents.listAll = async (...args) => {
      if (failures-- > 0) throw new Error('the store is away');
      return listAll(...args);
    };
    await world.start();
    await world.happens('u', 1);
    await nothingWaits();
    expect(world.channel.to('one').filter((name) => name.startsWith('t/'))).toEqual(sequences('t', 3));
  });
});

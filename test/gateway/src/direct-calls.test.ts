import type { Document } from '@retrigger/ports/document-store.ts';
import { describe, expect, test } from 'vitest';
import { type Door, startDoor, tokenOf } from './door.ts';
import { settled } from './fakes.ts';

const PATH = '/api/v1/api-keys';
const SUBSCRIPTIONS = '/api/v1/subscriptions';
const NEWS = { channel: 'webhook', url: 'https://example.org/news' };
const DAY_MS = 24 * 3_600_000;
const ANN = { userId: 'ann', roles: ['viewer'] };
const BOB = { userId: 'bob', roles: ['viewer'] };
const under = (key: string) => ({ 'idempotency-key': key });

const stored = async (door: Door) => (await door.documents.listAll('api-key', null, 1_000)).map(({ body }) => body.userId);

/** Ends a call as a crash would: what it has stored so far stays, what follows never happens. It may be held up before it writes a document. */
function dyingAfter(door: Door, writes: number, before = async (_: Document) => {}): Parameters<typeof startDoor>[0] {
  let left = writes;
  const die = () => {
    if (left-- <= 0) throw new Error('killed');
  };
  return {
    deps: {
      documents: {
        ...{ read: door.documents.read.bind(door.documents), list: door.documents.list.bind(door.documents) },
        ...{ listAll: door.documents.listAll.bind(door.documents), remove: door.documents.remove.bind(door.documents) },
        make: door.documents.make.bind(door.documents),
        async write(document) {
          die();
          await before(document);
          return door.documents.write(document);
        },
      },
      receipts: {
        load: async (names) => new Map([...door.receipts].filter(([name]) => names.includes(name))),
        async put(receipts) {
          die();
          for (const receipt of receipts) if (!door.receipts.has(receipt.commandId)) door.receipts.set(receipt.commandId, receipt);
        },
      },
    },
  };
}

describe('a call that the gateway carries out itself', () => {
  test('names its command, also when it is refused', async () => {
    const door = startDoor();
    const made = await door.post(PATH, ANN);
    const commandId = made.headers.get('x-command-id') ?? '';
    expect(commandId).not.toBe('');
    expect((await door.ask(`/api/v1/commands/${commandId}`)).json.data).toEqual({
      commandId,
      state: 'accepted',
      outcome: { status: 201, body: made.json },
    });
    const refused = await door.post(PATH, {});
    expect(refused.json.instance).toBe(`/api/v1/commands/${refused.headers.get('x-command-id')}`);
  });

  test('without a key is done every time', async () => {
    const door = startDoor();
    const [first, second] = [await door.post(PATH, ANN), await door.post(PATH, ANN)];
    expect(first.json.data.id).not.toBe(second.json.data.id);
    expect([second.headers.get('idempotent-replayed'), await stored(door)]).toEqual([null, [tokenOf('ann'), tokenOf('ann')]]);
  });

  test('under a key is done once, by whoever is first of many twins at once; all get its bytes (F1)', async () => {
    const door = startDoor();
    const answers = await Promise.all(Array.from({ length: 50 }, () => door.post(PATH, ANN, under('k'))));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    expect(await stored(door)).toEqual([tokenOf('ann')]);
  });

  test('another request under the same key is 422 and names what differs, even when both come at once', async () => {
    const door = startDoor();
    const answers = await Promise.all([ANN, BOB, ANN, BOB].map((body) => door.post(PATH, body, under('k'))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 422, 422]);
    expect(await stored(door)).toHaveLength(1);
    const later = await door.post(PATH, { ...ANN, roles: ['admin'] }, under('k'));
    expect(later.json).toMatchObject({ status: 422, code: 'idempotency_key_reused', fields: expect.arrayContaining(['roles']) });
  });

  test('a key belongs to its tenant, caller, method and path', async () => {
    const door = startDoor();
    const theirs = await door.ask(PATH, { method: 'POST', as: 'stranger', body: ANN, headers: under('k') });
    const ours = await door.post(PATH, BOB, under('k'));
    expect([theirs.json.data.tenantId, ours.json.data.tenantId]).toEqual(['other', 'default']);
    expect(new Set(await stored(door))).toEqual(new Set([tokenOf('bob'), tokenOf('ann', 'other')]));
  });

  test('after 24 hours the key is free', async () => {
    const door = startDoor();
    await door.post(PATH, ANN, under('k'));
    door.clock.advance(DAY_MS - 1);
    expect((await door.post(PATH, BOB, under('k'))).status).toBe(422);
    door.clock.advance(1);
    expect((await door.post(PATH, BOB, under('k'))).status).toBe(201);
  });

  test.each([
    ['400', { userId: 'ann', roles: ['root'] }, 'admin'],
    ['400 of the world as it is now', { ...ANN, expiresAt: '2020-01-01T00:00:00Z' }, 'admin'],
    ['403', { ...ANN, tenantId: 'default' }, 'stranger'],
  ])('a %s binds no key (F3)', async (_what, refused, as) => {
    const door = startDoor();
    const send = (body: object) => door.ask(PATH, { method: 'POST', as, body, headers: under('k') });
    expect((await send(refused)).status).toBeGreaterThanOrEqual(400);
    expect((await send(ANN)).status).toBe(201);
  });

  test('a 204 has no body, and its outcome none either', async () => {
    const door = startDoor();
    const { id } = (await door.post(PATH, ANN)).json.data;
    const gone = await door.ask(`${PATH}/${id}`, { method: 'DELETE', headers: under('k') });
    expect([gone.status, gone.text, gone.headers.get('content-type')]).toEqual([204, '', null]);
    const commandId = gone.headers.get('x-command-id');
    expect((await door.ask(`/api/v1/commands/${commandId}`)).json.data).toEqual({ commandId, state: 'accepted', outcome: { status: 204 } });
  });

  test('only whoever sent it may ask for its outcome, and nobody for its claim', async () => {
    const door = startDoor();
    const commandId = (await door.post(PATH, ANN, under('k'))).headers.get('x-command-id') ?? '';
    for (const asked of [
      { name: commandId, as: 'viewer' },
      { name: commandId, as: 'stranger' },
      { name: encodeURIComponent(`${commandId}/claim`), as: 'admin' },
    ])
      expect((await door.ask(`/api/v1/commands/${asked.name}`, asked)).status).toBe(404);
  });

  // What it stores, in this order: the claim, the key's tenant, the key, the receipt.
  test.each([0, 1, 2, 3])('killed after %i of its writes it is done by the repeat, once and with the same ids', async (writes) => {
    const door = startDoor();
    const dying = startDoor(dyingAfter(door, writes));
    const broken = await dying.post(PATH, ANN, under('k'));
    expect([broken.status, broken.headers.get('retry-after')]).toEqual([503, '1']);
    const before = await door.documents.listAll('api-key', null, 10);
    await settled();
    door.clock.advance(60_000);
    const other = await door.post(PATH, BOB, under('k'));
    expect(other.status).toBe(writes === 0 ? 201 : 422);
    const repeat = await door.post(PATH, writes === 0 ? BOB : ANN, under('k'));
    expect(repeat.status).toBe(201);
    expect(await stored(door)).toHaveLength(1);
    for (const { id, body } of before) expect([repeat.json.data.id, repeat.json.data.createdAt]).toEqual([id, body.createdAt]);
  });

  // The claim, that it ended, the receipt.
  test.each([0, 1, 2])('ends a subscription, also when it is killed after %i of its writes and repeated (E1)', async (writes) => {
    const door = startDoor();
    const path = `${SUBSCRIPTIONS}/${(await door.post(SUBSCRIPTIONS, NEWS)).json.data.id}`;
    const end = (at: Door, key: string) => at.ask(path, { method: 'DELETE', headers: under(key) });
    expect((await end(startDoor(dyingAfter(door, writes)), 'k')).status).toBe(503);
    expect([(await end(door, 'k')).status, (await end(door, 'other')).status]).toEqual([204, 404]);
    expect((await door.ask(SUBSCRIPTIONS)).json.data.subscriptions).toEqual([]);
  });

  test('does not bring a subscription back that was ended while a twin of its call stood still (E2)', async () => {
    const door = startDoor();
    const [stands, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const stalled = startDoor(
      dyingAfter(door, 99, async ({ kind }) => {
        if (kind !== 'subscription') return;
        stands.resolve();
        await goesOn.promise;
      }),
    );
    const twin = stalled.post(SUBSCRIPTIONS, NEWS, under('k'));
    await stands.promise;
    const { id } = (await door.post(SUBSCRIPTIONS, NEWS, under('k'))).json.data;
    expect((await door.ask(`${SUBSCRIPTIONS}/${id}`, { method: 'DELETE' })).status).toBe(204);
    goesOn.resolve();
    expect((await twin).json.data.id).toBe(id);
    expect((await door.ask(SUBSCRIPTIONS)).json.data.subscriptions).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { type Door, keyOf, startDoor, tokenOf } from './door.ts';

const PATH = '/api/v1/api-keys';
const DAY_MS = 24 * 3_600_000;
/** A key that was revoked elsewhere may go on for so long. */
const KNOWN_EVERYWHERE_MS = 5_000;

type Made = { id: string; key: string; signingSecret: string; tenantId: string; userId: string; roles: string[]; expiresAt?: string };

async function make(door: Door, body: object = {}, headers: { [name: string]: string } = {}): Promise<Made> {
  const { status, json, text } = await door.post(PATH, { userId: 'ann', roles: ['viewer'], ...body }, headers);
  expect([status, text.slice(0, status === 201 ? 0 : undefined)]).toEqual([201, '']);
  return json.data;
}
const revoke = (door: Door, id: string, as = 'admin') => door.ask(`${PATH}/${id}`, { method: 'DELETE', as });
const statusWith = async (door: Door, key: string, path = '/api/v1/tasks') => (await door.ask(path, { key })).status;

describe('an API key that is made', () => {
  test('is shown with its signing secret, and lets its user in with its roles', async () => {
    const door = startDoor();
    const made = await make(door, { roles: ['viewer', 'executor'] });
    expect(made).toEqual({
      id: expect.stringMatching(/^key_[A-Za-z0-9_-]{33}$/),
      key: expect.stringMatching(/^rtk_[A-Za-z0-9_-]{77}$/),
      signingSecret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      tenantId: 'default',
      userId: 'ann',
      roles: ['viewer', 'executor'],
      createdAt: '2026-03-04T05:06:07.008Z',
    });
    expect(await statusWith(door, made.key)).toBe(200);
    expect(await statusWith(door, made.key, PATH)).toBe(403);
  });

  test('acts in its tenant as its user', async () => {
    const door = startDoor();
    const { key } = await make(door, { tenantId: 'acme', roles: ['operator'] });
    await door.ask('/api/v1/tasks', { method: 'POST', key, body: { type: 'job' } });
    expect(door.commands).toMatchObject([
      { tenantId: 'acme', actor: { id: expect.stringMatching(/^u_/), type: 'user' }, roles: ['operator'] },
    ]);
  });

  test('is stored without anything that would let somebody in, or would say whose it is', async () => {
    const door = startDoor();
    const { key, signingSecret } = await make(door, {}, { 'idempotency-key': 'k' });
    const stored = JSON.stringify([await door.documents.listAll('api-key', null, 10), [...door.receipts.values()]]);
    expect(stored).toContain(tokenOf('ann'));
    for (const secret of [key, key.slice(-43), signingSecret]) expect(stored).not.toContain(secret);
    expect(stored).not.toMatch(/(?<![\w-])ann(?![\w-])/); // inside an id these letters may stand by chance
  });

  test('proves nobody any more when its user was erased, and is not shown (C7)', async () => {
    const door = startDoor();
    const [ann, bob] = [await make(door, { userId: 'ann' }), await make(door, { userId: 'bob' })];
    expect([await statusWith(door, ann.key), await statusWith(door, bob.key)]).toEqual([200, 200]);
    await door.privacy.ring.destroy(tokenOf('ann'));
    expect([await statusWith(door, ann.key), await statusWith(door, bob.key)]).toEqual([401, 200]);
    const { json } = await door.ask(PATH);
    expect(json.data.apiKeys.map(({ userId }: { userId: string }) => userId)).toEqual(['bob']);
  });

  test('is made once under an idempotency key, and every repeat shows the same bytes', async () => {
    const door = startDoor();
    const body = { userId: 'ann', roles: ['viewer'], expiresIn: '30d' };
    const first = await door.post(PATH, body, { 'idempotency-key': 'k' });
    door.clock.advance(60_000);
    const second = await door.post(PATH, body, { 'idempotency-key': 'k' });
    expect([second.status, second.text, second.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
    expect(await door.documents.listAll('api-key', null, 10)).toHaveLength(1);
    const outcome = await door.ask(`/api/v1/commands/${first.headers.get('x-command-id')}`);
    expect(outcome.json.data.outcome).toEqual({ status: 201, body: first.json });
  });

  test('after a day the same idempotency key makes another one, and a revoked one stays revoked', async () => {
    const door = startDoor();
    const first = await make(door, {}, { 'idempotency-key': 'k' });
    await revoke(door, first.id);
    expect((await make(door, {}, { 'idempotency-key': 'k' })).id).toBe(first.id);
    expect(await statusWith(door, first.key)).toBe(401);
    door.clock.advance(DAY_MS);
    const second = await make(door, {}, { 'idempotency-key': 'k' });
    expect(second.id).not.toBe(first.id);
    expect([await statusWith(door, first.key), await statusWith(door, second.key)]).toEqual([401, 200]);
  });

  test('is not brought back by a repeat whose receipt was lost in a crash (C4)', async () => {
    const door = startDoor();
    const first = await make(door, {}, { 'idempotency-key': 'k' });
    await revoke(door, first.id);
    for (const name of door.receipts.keys()) if (!name.endsWith('/claim')) door.receipts.delete(name);
    expect(await make(door, {}, { 'idempotency-key': 'k' })).toEqual(first);
    expect(await statusWith(door, first.key)).toBe(401);
  });

  test.each([
    [{ expiresIn: '1h' }, '2026-03-04T06:06:07.008Z'],
    [{ expiresAt: '2026-03-04T07:06:07.008+01:00' }, '2026-03-04T06:06:07.008Z'],
  ])('with %o is refused from that millisecond on (C3)', async (expiry, expiresAt) => {
    const door = startDoor();
    const made = await make(door, expiry);
    expect(made.expiresAt).toBe(expiresAt);
    door.clock.advance(3_600_000 - 1);
    expect(await statusWith(door, made.key)).toBe(200);
    door.clock.advance(1);
    expect(await statusWith(door, made.key)).toBe(401);
  });

  test.each([
    [{ userId: undefined }, 'userId'],
    [{ userId: 'a/b' }, 'userId'],
    [{ tenantId: '' }, 'tenantId'],
    [{ roles: [] }, 'roles'],
    [{ roles: ['root'] }, 'roles[0]'],
    [{ roles: ['viewer', 'viewer'] }, 'roles'],
    [{ expiresIn: '0s' }, 'expiresIn'],
    [{ expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ expiresAt: '2026-03-04T05:06:07.008Z' }, 'expiresAt'],
    [{ expiresAt: '2027-01-01T00:00:00Z', expiresIn: '1d' }, 'expiresIn'],
    [{ key: 'mine' }, 'key'],
  ])('is refused with %o, naming the field, and nothing is stored', async (wrong, path) => {
    const door = startDoor();
    const { status, json } = await door.post(PATH, { userId: 'ann', roles: ['viewer'], ...wrong }, { 'idempotency-key': 'k' });
    expect([status, json.errors[0].path]).toEqual([400, path]);
    expect([await door.documents.listAll('api-key', null, 10), door.receipts.size]).toEqual([[], 0]);
  });
});

describe('an API key that is revoked', () => {
  test('is refused at once here, and within 5 s at every other gateway (C3)', async () => {
    const here = startDoor();
    const there = startDoor({ deps: { documents: here.documents }, keys: here.keys });
    const { id, key } = await make(here);
    expect([await statusWith(here, key), await statusWith(there, key)]).toEqual([200, 200]);
    here.clock.advance(1_000);
    expect((await revoke(here, id)).status).toBe(204);
    expect(await statusWith(here, key)).toBe(401);
    there.clock.advance(1_000 + KNOWN_EVERYWHERE_MS);
    expect(await statusWith(there, key)).toBe(401);
  });

  test('is not listed, and there is nothing to revoke a second time', async () => {
    const door = startDoor();
    const { id } = await make(door);
    const kept = await make(door, { userId: 'bob' });
    const first = await door.ask(`${PATH}/${id}`, { method: 'DELETE', headers: { 'idempotency-key': 'k' } });
    const repeat = await door.ask(`${PATH}/${id}`, { method: 'DELETE', headers: { 'idempotency-key': 'k' } });
    expect([first.status, first.text, repeat.status, repeat.headers.get('idempotent-replayed')]).toEqual([204, '', 204, 'true']);
    expect((await revoke(door, id)).status).toBe(404);
    expect((await door.ask(PATH)).json.data.apiKeys.map((one: Made) => one.id)).toEqual([kept.id]);
  });
});

describe('the list of API keys', () => {
  test('shows them without the keys, in pages', async () => {
    const door = startDoor();
    const made: Made[] = [];
    for (const userId of ['a', 'b', 'c']) made.push(await make(door, { userId, expiresIn: '1d' }));
    const first = await door.ask(`${PATH}?pageSize=2`);
    const { apiKeys, pageInfo } = first.json.data;
    const second = await door.ask(`${PATH}?pageSize=2&cursor=${pageInfo.nextCursor}`);
    expect(second.json.data.pageInfo).toEqual({ hasMore: false, nextCursor: null });
    const byId = ({ id: a }: Made, { id: b }: Made) => (a < b ? -1 : 1);
    const expected = made.toSorted(byId).map(({ key: _k, signingSecret: _s, ...shown }) => shown);
    expect([...apiKeys, ...second.json.data.apiKeys]).toEqual(expected);
  });

  test('refuses a cursor that was made for another tenant or query', async () => {
    const door = startDoor();
    for (const userId of ['a', 'b']) await make(door, { userId });
    const { nextCursor } = (await door.ask(`${PATH}?pageSize=1`)).json.data.pageInfo;
    for (const asked of [{ path: `${PATH}?cursor=${nextCursor}`, as: 'stranger' }, { path: `${PATH}?tenantId=acme&cursor=${nextCursor}` }])
      expect((await door.ask(asked.path, asked)).json).toMatchObject({ status: 400, errors: [{ path: 'cursor' }] });
    for (const query of ['pageSize=0', 'tenantId=a%2Fb', 'roles=admin']) expect((await door.ask(`${PATH}?${query}`)).status).toBe(400);
  });
});

describe('the keys of another tenant', () => {
  test('are kept by an admin of the tenant default', async () => {
    const door = startDoor();
    const { id, key } = await make(door, { tenantId: 'acme' });
    expect((await door.ask(`${PATH}?tenantId=acme`)).json.data.apiKeys).toMatchObject([{ id, tenantId: 'acme' }]);
    expect((await door.ask(PATH)).json.data.apiKeys).toEqual([]);
    expect((await revoke(door, id)).status).toBe(204);
    expect(await statusWith(door, key)).toBe(401);
  });

  test('are nobody else’s: an admin of one tenant neither makes, sees nor revokes those of another', async () => {
    const door = startDoor();
    const { id, key } = await make(door, { tenantId: 'acme' });
    const body = { tenantId: 'acme', userId: 'eve', roles: ['admin'] };
    expect((await door.ask(PATH, { method: 'POST', as: 'stranger', body })).status).toBe(403);
    expect((await door.ask(`${PATH}?tenantId=acme`, { as: 'stranger' })).status).toBe(403);
    const [theirs, nobodys] = [await revoke(door, id, 'stranger'), await revoke(door, 'key_nothing', 'stranger')];
    expect([theirs.status, nobodys.status]).toEqual([404, 404]);
    expect({ ...theirs.json, instance: '' }).toEqual({ ...nobodys.json, instance: '' });
    expect(await statusWith(door, key)).toBe(200);
  });
});

test('only an admin keeps keys', async () => {
  const door = startDoor();
  for (const as of ['viewer', 'operator', 'executor']) {
    expect((await door.ask(PATH, { as })).status).toBe(403);
    expect((await door.ask(PATH, { as, method: 'POST', body: { userId: 'eve', roles: ['admin'] } })).status).toBe(403);
    expect((await revoke(door, 'key_any', as)).status).toBe(403);
  }
  expect(await door.documents.listAll('api-key', null, 10)).toEqual([]);
  expect(await statusWith(door, keyOf('admin'))).toBe(200);
});

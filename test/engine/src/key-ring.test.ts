import { NAME_TOKEN } from '@retrigger/domain/privacy/name-token.ts';
import { REMEMBERED_MS } from '@retrigger/engine/key-ring.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { privacyWorld } from './privacy-world.ts';

describe('who stands behind a token', () => {
  let world: ReturnType<typeof privacyWorld>;
  beforeEach(() => {
    world = privacyWorld();
  });
  const nameOf = async (ring: ReturnType<ReturnType<typeof privacyWorld>['process']>['ring'], token: string, tenantId = 'acme') =>
    (await ring.open(tenantId, [token])).names.get(token)?.name;

  test('a user has one token in every process, however many ask at once, and the token tells the name (Y1)', async () => {
    const [a, b] = [world.process().ring, world.process().ring];
    const tokens = await Promise.all([a, b, a, b].map((ring) => ring.tokenOf('acme', 'ada@example.org')));
    const [token = ''] = tokens;
    expect(new Set(tokens).size).toBe(1);
    expect(token).toMatch(NAME_TOKEN);
    expect([await nameOf(a, token), await nameOf(b, token)]).toEqual(['ada@example.org', 'ada@example.org']);
    expect(await a.tokenOf('acme', 'bob')).not.toBe(token);
    expect([await a.findToken('acme', 'ada@example.org'), await a.findToken('acme', 'nobody')]).toEqual([token, undefined]);
  });

  test('the key store holds no name, nor anything that a name leads to without the secrets', async () => {
    const ring = world.process().ring;
    const token = await ring.tokenOf('acme', 'ada@example.org');
    const record = JSON.stringify([...(await world.keys.byTokens([token])).values()]);
    for (const text of ['ada@', Buffer.from('ada@example.org').toString('base64').slice(0, 18), 'acme']) expect(record).not.toContain(text);
  });

  test('the same name is another user in another tenant, and no tenant opens what is another’s (Y3)', async () => {
    const { ring } = world.process();
    const [ours, theirs] = [await ring.tokenOf('acme', 'ada'), await ring.tokenOf('other', 'ada')];
    expect(ours).not.toBe(theirs);
    expect([await nameOf(ring, theirs), await nameOf(ring, theirs, 'other')]).toEqual([undefined, 'ada']);
    const key = await ring.keyOf('other', 'task');
    expect((await ring.open('acme', [key.token])).keys.size).toBe(0);
    expect((await ring.open('other', [key.token])).keys.get(key.token)?.key).toEqual(key.key);
  });

  test('what is destroyed stays closed: here at once, elsewhere within seconds; the same user gets another token (Y2)', async () => {
    const [here, elsewhere] = [world.process().ring, world.process().ring];
    const token = await here.tokenOf('acme', 'ada');
    await nameOf(elsewhere, token);
    await elsewhere.tokenOf('acme', 'ada');
    await here.destroy(token);
    expect(await nameOf(here, token)).toBeUndefined();
    await world.clock.advance(REMEMBERED_MS);
    expect(await nameOf(elsewhere, token)).toBeUndefined();
    const [next, same] = [await here.tokenOf('acme', 'ada'), await elsewhere.tokenOf('acme', 'ada')];
    expect([next === token, next === same, await nameOf(here, token), await nameOf(here, next)]).toEqual([false, true, undefined, 'ada']);
  });

  test('a task’s key is asked for each time, so nothing is sealed under one that was just destroyed', async () => {
    const [here, elsewhere] = [world.process().ring, world.process().ring];
    const first = await elsewhere.keyOf('acme', 'pay');
    await here.destroy(first.token);
    const second = await elsewhere.keyOf('acme', 'pay');
    expect(second.token).not.toBe(first.token);
    expect((await here.findKey('acme', 'pay'))?.token).toBe(second.token);
  });

  test('a store that fails is asked again, and what it said in between is not remembered', async () => {
    const { ring } = world.process();
    const token = await ring.tokenOf('acme', 'ada');
    const { byTokens } = world.keys;
    world.keys.byTokens = async () => Promise.reject(new Error('away'));
    await expect(nameOf(ring, token)).rejects.toThrow('away');
    world.keys.byTokens = byTokens;
    expect(await nameOf(ring, token)).toBe('ada');
  });
});

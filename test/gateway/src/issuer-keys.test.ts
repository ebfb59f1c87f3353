import { fetchJwks } from '@retrigger/gateway/fetch-jwks.ts';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { settled } from './fakes.ts';
import { type SigningKey, signingKey, startIssuer } from './issuer.ts';
import { ANN, heldKeys, tokenDoor } from './token-world.ts';

const COOLDOWN_MS = 10_000;
const REFRESH_MS = 300_000;

let first: SigningKey;
let second: SigningKey;
beforeAll(async () => {
  [first, second] = await Promise.all([signingKey('first'), signingKey('second')]);
});

describe('the issuer’s keys', () => {
  test('are fetched once for many tokens at once', async () => {
    const { known, token, issuer } = heldKeys(first);
    const given = await token();
    expect(await Promise.all(Array.from({ length: 20 }, () => known(given)))).toEqual(Array(20).fill(ANN));
    expect(issuer.fetches).toBe(1);
  });

  test('that are new are found when a token names one (Z4)', async () => {
    const { known, token, issuer, clock } = heldKeys(first);
    expect(await known(await token())).toEqual(ANN);
    issuer.keys = [first, second];
    clock.advance(COOLDOWN_MS);
    expect(await known(await token({}, second))).toEqual(ANN);
    expect([await known(await token()), issuer.fetches]).toEqual([ANN, 2]);
  });

  test('that are new are found, and that are gone let nobody in, also when the clock was set back since they were fetched (Z6)', async () => {
    const { known, token, issuer, clock } = heldKeys(first);
    expect(await known(await token())).toEqual(ANN);
    issuer.keys = [second];
    clock.set(clock.now() - REFRESH_MS);
    expect(await known(await token({}, second))).toEqual(ANN);
    issuer.keys = [first];
    clock.set(clock.now() - REFRESH_MS);
    await known(await token({}, second));
    await settled();
    expect(await known(await token({}, second))).toBeUndefined();
  });

  test('that are gone let nobody in once the set was fetched anew', async () => {
    const { known, token, issuer, clock } = heldKeys(first, second);
    expect(await known(await token({}, second))).toEqual(ANN);
    issuer.keys = [first];
    clock.advance(REFRESH_MS);
    await known(await token());
    await settled();
    expect([await known(await token({}, second)), issuer.fetches]).toEqual([undefined, 2]);
  });

  test('that nobody has asked for in a while serve only when the issuer was asked', async () => {
    const { known, token, issuer, clock } = heldKeys(first, second);
    expect(await known(await token({}, second))).toEqual(ANN);
    issuer.keys = [first];
    clock.advance(2 * REFRESH_MS);
    expect(await known(await token({}, second))).toBeUndefined();
    issuer.down = true;
    clock.advance(2 * REFRESH_MS);
    expect(await known(await token())).toEqual(ANN); // Z5
  });

  test('made-up names of keys make us ask once in 10 s (Z4)', async () => {
    const { known, token, issuer, clock } = heldKeys(first);
    expect(await known(await token())).toEqual(ANN);
    for (let i = 0; i < 50; i++) expect(await known(await token({}, { ...second, kid: `made-up-${i}` }))).toBeUndefined();
    expect(issuer.fetches).toBe(1);
    clock.advance(COOLDOWN_MS);
    for (let i = 0; i < 50; i++) expect(await known(await token({}, { ...second, kid: `made-up-${i}` }))).toBeUndefined();
    expect(issuer.fetches).toBe(2);
  });

  test('go on while the issuer is down, also past their refresh (Z5)', async () => {
    const { known, token, issuer, clock, warnings } = heldKeys(first);
    expect(await known(await token())).toEqual(ANN);
    issuer.down = true;
    for (let i = 1; i <= 5; i++) {
      clock.advance(REFRESH_MS);
      expect(await known(await token())).toEqual(ANN);
      await settled();
    }
    expect([issuer.fetches, warnings.length]).toEqual([6, 5]);
  });

  test('that can’t be had at the start refuse tokens until they can', async () => {
    const { known, token, issuer, clock, warnings } = heldKeys(first);
    issuer.down = true;
    for (let i = 0; i < 20; i++) expect(await known(await token())).toBeUndefined();
    expect([issuer.fetches, warnings.length]).toEqual([1, 1]);
    issuer.down = false;
    clock.advance(COOLDOWN_MS);
    expect(await known(await token())).toEqual(ANN);
  });

  test('a set without a usable key, or with the same name twice, lets nobody in', async () => {
    for (const keys of [[], [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }], [first.jwk, first.jwk], [{ ...first.jwk, use: 'enc' }]]) {
      const { known, token } = tokenDoor(first, async () => ({ keys }));
      expect(await known(await token())).toBeUndefined();
    }
  });
});

describe('an issuer over HTTP', () => {
  async function served() {
    const issuer = await startIssuer([first.jwk]);
    onTestFinished(issuer.stop);
    return issuer;
  }

  test('is asked for its keys', async () => {
    const { url } = await served();
    const { known, token } = tokenDoor(first, () => fetchJwks(url));
    expect(await known(await token())).toEqual(ANN);
  });

  test.each([
    ['an error', { status: 500, body: '{"keys":[]}' }],
    ['what is no JSON', { status: 200, body: '<html>' }],
    ['what is no key set', { status: 200, body: '{"keys":{}}' }],
    ['null', { status: 200, body: 'null' }],
    ['more than 256 KiB', { status: 200, body: JSON.stringify({ keys: [], more: 'x'.repeat(300_000) }) }],
    ['a redirect', { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }],
  ])('that answers with %s gives none, and those that are known go on (Z5)', async (_what, answer) => {
    const issuer = await served();
    const { known, token, clock, warnings } = tokenDoor(first, () => fetchJwks(issuer.url));
    expect(await known(await token())).toEqual(ANN);
    issuer.answer = answer;
    clock.advance(COOLDOWN_MS);
    expect(await known(await token({}, second))).toBeUndefined();
    expect([await known(await token()), issuer.asked, warnings.length]).toEqual([ANN, 2, 1]);
  });

  test('that is not there refuses tokens, and says so in the log', async () => {
    const { url, stop } = await startIssuer([]);
    await stop();
    const { known, token, warnings } = tokenDoor(first, () => fetchJwks(url));
    expect(await known(await token())).toBeUndefined();
    expect(JSON.stringify(warnings)).toContain('ECONNREFUSED');
  });
});

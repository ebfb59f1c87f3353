import { createHmac } from 'node:crypto';
import { fetchJwks } from '@retrigger/gateway/fetch-jwks.ts';
import { tokenIssuer } from '@retrigger/gateway/gateway-credentials.ts';
import { IssuerKeys } from '@retrigger/gateway/issuer-keys.ts';
import { tokenCredentials } from '@retrigger/gateway/token-credentials.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { exportSPKI, type JSONWebKeySet, SignJWT } from 'jose';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock, settled } from './fakes.ts';
import { AUDIENCE, ISSUER, type SigningKey, signingKey, startIssuer, tokenOf, unsignedToken } from './issuer.ts';

const ANN = { tenantId: 'acme', userId: 'ann', roles: ['operator'] };
const COOLDOWN_MS = 10_000;
const REFRESH_MS = 300_000;

let first: SigningKey;
let second: SigningKey;
beforeAll(async () => {
  [first, second] = await Promise.all([signingKey('first'), signingKey('second')]);
});

function door(fetch: () => Promise<JSONWebKeySet>) {
  const clock = new FakeClock();
  const warnings: unknown[] = [];
  const observer = { ...silent, log: (...said: unknown[]) => void warnings.push(said) };
  const credentials = tokenCredentials({ issuer: ISSUER, audience: AUDIENCE }, new IssuerKeys(fetch, { clock, observer }), clock);
  const known = async (token: string) => credentials.identify(token);
  return { clock, warnings, credentials, known, token: (claims?: object, key = first) => tokenOf(key, clock.now(), { ...claims }) };
}

/** Over a key set in the test's hands; `fetches` counts, `down` makes it fail. */
function held(...keys: SigningKey[]) {
  const issuer = { keys, fetches: 0, down: false };
  return Object.assign(
    door(async () => {
      issuer.fetches++;
      if (issuer.down) throw new Error('connection refused');
      return { keys: issuer.keys.map(({ jwk }) => jwk) };
    }),
    { issuer },
  );
}

describe('a token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('that the issuer signed with %s tells who calls', async (alg) => {
    const key = await signingKey('k', alg);
    const { known, token } = held(key);
    expect(await known(await token({}, key))).toEqual(ANN);
  });

  test('may name several audiences and roles', async () => {
    const { known, token } = held(first);
    const claims = { aud: ['other', AUDIENCE], roles: ['viewer', 'executor', 'viewer'] };
    expect(await known(await token(claims))).toEqual({ ...ANN, roles: ['viewer', 'executor'] });
  });

  test.each([
    ['another issuer', { iss: 'https://login.example.evil' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'somebody-else' }],
    ['no audience', { aud: undefined }],
    ['no expiry', { exp: undefined }],
    ['an expiry that is no number', { exp: '4000000000' }],
    ['no user', { sub: undefined }],
    ['no tenant', { tenant: undefined }],
    ['no roles', { roles: undefined }],
    ['an empty list of roles', { roles: [] }],
    ['roles that are no list', { roles: 'admin' }],
    ['a role that we don’t have', { roles: ['operator', 'root'] }],
    ['a role of the prototype', { roles: ['constructor'] }],
    ['a tenant that is no id', { tenant: 'acme/other' }],
    ['a tenant that is no text', { tenant: ['acme'] }],
    ['a user that is no id', { sub: 'ann smith' }],
    ['an empty user', { sub: '' }],
    ['a user of 129 characters', { sub: 'a'.repeat(129) }],
  ])('with %s is refused (Z6, Z7)', async (_what, claims) => {
    const { known, token } = held(first);
    expect(await known(await token(claims))).toBeUndefined();
    expect(await known(await token())).toEqual(ANN);
  });

  test('is good until its expiry and from its nbf on, by the clock (Z6)', async () => {
    const { known, token, clock } = held(first);
    const nowS = Math.ceil(clock.now() / 1000);
    const given = await token({ exp: nowS + 60, nbf: nowS + 5 });
    const at = async (second: number) => {
      clock.advance((nowS + second) * 1000 - clock.now());
      return (await known(given)) !== undefined;
    };
    expect([await at(4), await at(5), await at(59), await at(60), await at(61)]).toEqual([false, true, true, false, false]);
  });

  test('with an altered payload, signature or key is refused', async () => {
    const { known, token } = held(first);
    const [header, , signature] = (await token()).split('.');
    const [, payload] = (await token({ roles: ['admin'] })).split('.');
    const stranger = await signingKey('first');
    for (const forged of [`${header}.${payload}.${signature}`, `${header}.${payload}.`, await token({}, stranger)])
      expect(await known(forged)).toBeUndefined();
  });

  test('that is not signed, or signed with what everybody knows, is refused', async () => {
    const rsa = await signingKey('rsa', 'RS256');
    const { known, clock } = held(rsa);
    const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', tenant: 'acme', roles: ['admin'], exp: clock.now() / 1000 + 60 };
    const spki = await exportSPKI(rsa.publicKey);
    for (const alg of ['none', 'None', 'HS256', 'HS512']) {
      const text = unsignedToken({ alg, kid: 'rsa' }, payload);
      expect(await known(text), alg).toBeUndefined();
      for (const secret of [spki, JSON.stringify(rsa.jwk), String(rsa.jwk.n)])
        expect(await known(`${text}${createHmac('sha256', secret).update(text.slice(0, -1)).digest('base64url')}`), alg).toBeUndefined();
    }
  });

  test('can’t bring its own key', async () => {
    const { known, issuer, clock } = held(first);
    const own = await signingKey('own');
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', tenant: 'acme', roles: ['admin'], exp: clock.now() / 1000 + 60 };
    for (const header of [{ jwk: own.jwk }, { jku: 'http://127.0.0.1:1/jwks' }, { x5u: 'http://127.0.0.1:1/x' }, { crit: ['exp'] }]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', ...header } as { alg: string })
        .sign(own.privateKey)
        .catch(() => 'a.b.c');
      expect(await known(forged)).toBeUndefined();
    }
    expect(issuer.fetches).toBe(1);
  });

  test('a text of another shape costs nothing, and no token signs records', async () => {
    const { credentials, issuer } = held(first);
    for (const text of ['', '..', 'a.b', 'a.b.c.d.e', 'rtk_x', `${'a'.repeat(9_000)}.b.c`])
      expect(credentials.identify(text)).toBeUndefined();
    expect([await credentials.signer('first'), issuer.fetches]).toEqual([undefined, 0]);
  });
});

describe('the issuer’s keys', () => {
  test('are fetched once for many tokens at once', async () => {
    const { known, token, issuer } = held(first);
    const given = await token();
    expect(await Promise.all(Array.from({ length: 20 }, () => known(given)))).toEqual(Array(20).fill(ANN));
    expect(issuer.fetches).toBe(1);
  });

  test('that are new are found when a token names one (Z4)', async () => {
    const { known, token, issuer, clock } = held(first);
    expect(await known(await token())).toEqual(ANN);
    issuer.keys = [first, second];
    clock.advance(COOLDOWN_MS);
    expect(await known(await token({}, second))).toEqual(ANN);
    expect([await known(await token()), issuer.fetches]).toEqual([ANN, 2]);
  });

  test('that are gone let nobody in once the set was fetched anew', async () => {
    const { known, token, issuer, clock } = held(first, second);
    expect(await known(await token({}, second))).toEqual(ANN);
    issuer.keys = [first];
    clock.advance(REFRESH_MS);
    await known(await token());
    await settled();
    expect([await known(await token({}, second)), issuer.fetches]).toEqual([undefined, 2]);
  });

  test('made-up names of keys make us ask once in 10 s (Z4)', async () => {
    const { known, token, issuer, clock } = held(first);
    expect(await known(await token())).toEqual(ANN);
    for (let i = 0; i < 50; i++) expect(await known(await token({}, { ...second, kid: `made-up-${i}` }))).toBeUndefined();
    expect(issuer.fetches).toBe(1);
    clock.advance(COOLDOWN_MS);
    for (let i = 0; i < 50; i++) expect(await known(await token({}, { ...second, kid: `made-up-${i}` }))).toBeUndefined();
    expect(issuer.fetches).toBe(2);
  });

  test('go on while the issuer is down, also past their refresh (Z5)', async () => {
    const { known, token, issuer, clock, warnings } = held(first);
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
    const { known, token, issuer, clock, warnings } = held(first);
    issuer.down = true;
    for (let i = 0; i < 20; i++) expect(await known(await token())).toBeUndefined();
    expect([issuer.fetches, warnings.length]).toEqual([1, 1]);
    issuer.down = false;
    clock.advance(COOLDOWN_MS);
    expect(await known(await token())).toEqual(ANN);
  });

  test('a set without a usable key, or with the same name twice, lets nobody in', async () => {
    for (const keys of [[], [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }], [first.jwk, first.jwk], [{ ...first.jwk, use: 'enc' }]]) {
      const { known, token } = door(async () => ({ keys }));
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
    const { known, token } = door(() => fetchJwks(url));
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
    const { known, token, clock, warnings } = door(() => fetchJwks(issuer.url));
    expect(await known(await token())).toEqual(ANN);
    issuer.answer = answer;
    clock.advance(COOLDOWN_MS);
    expect(await known(await token({}, second))).toBeUndefined();
    expect([await known(await token()), issuer.asked, warnings.length]).toEqual([ANN, 2, 1]);
  });

  test('that is not there refuses tokens, and says so in the log', async () => {
    const { url, stop } = await startIssuer([]);
    await stop();
    const { known, token, warnings } = door(() => fetchJwks(url));
    expect(await known(await token())).toBeUndefined();
    expect(JSON.stringify(warnings)).toContain('ECONNREFUSED');
  });
});

describe('the settings of an issuer', () => {
  const all = { jwksUrl: 'http://127.0.0.1/jwks', jwtIssuer: ISSUER, jwtAudience: AUDIENCE };

  test('are all there or none', () => {
    expect(tokenIssuer(all)).toEqual({ kind: 'issuer', issuer: { jwksUrl: all.jwksUrl, issuer: ISSUER, audience: AUDIENCE } });
    expect(tokenIssuer({ jwksUrl: null, jwtIssuer: '', jwtAudience: '' })).toEqual({ kind: 'issuer', issuer: null });
  });

  test.each([
    ['RETRIGGER_JWKS_URL', { jwksUrl: null }],
    ['RETRIGGER_JWT_ISSUER', { jwtIssuer: '' }],
    ['RETRIGGER_JWT_AUDIENCE', { jwtAudience: '' }],
  ])('without %s are refused, and the message names it', (name, missing) => {
    expect(tokenIssuer({ ...all, ...missing })).toMatchObject({ kind: 'wrong', message: expect.stringMatching(`^${name} is not set`) });
  });

  test('with a login in the URL are refused without repeating it', () => {
    const wrong = tokenIssuer({ ...all, jwksUrl: 'https://ann:hunter2@host/jwks' });
    expect(wrong).toMatchObject({ kind: 'wrong' });
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
  });
});

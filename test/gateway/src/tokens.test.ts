import { createHmac } from 'node:crypto';
import { tokenIssuer } from '@retrigger/gateway/gateway-credentials.ts';
import { exportSPKI, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { AUDIENCE, ISSUER, type SigningKey, signingKey, unsignedToken } from './issuer.ts';
import { ANN, heldKeys } from './token-world.ts';

let first: SigningKey;
beforeAll(async () => {
  first = await signingKey('first');
});

describe('a token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('that the issuer signed with %s tells who calls', async (alg) => {
    const key = await signingKey('k', alg);
    const { known, token } = heldKeys(key);
    expect(await known(await token({}, key))).toEqual(ANN);
  });

  test('may name several audiences and roles', async () => {
    const { known, token } = heldKeys(first);
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
    const { known, token } = heldKeys(first);
    expect(await known(await token(claims))).toBeUndefined();
    expect(await known(await token())).toEqual(ANN);
  });

  test('is good until its expiry and from its nbf on, by the clock (Z6)', async () => {
    const { known, token, clock } = heldKeys(first);
    const nowS = Math.ceil(clock.now() / 1000);
    const given = await token({ exp: nowS + 60, nbf: nowS + 5 });
    const at = async (second: number) => {
      clock.advance((nowS + second) * 1000 - clock.now());
      return (await known(given)) !== undefined;
    };
    expect([await at(4), await at(5), await at(59), await at(60), await at(61)]).toEqual([false, true, true, false, false]);
  });

  test('with an altered payload, signature or key is refused', async () => {
    const { known, token } = heldKeys(first);
    const [header, , signature] = (await token()).split('.');
    const [, payload] = (await token({ roles: ['admin'] })).split('.');
    const stranger = await signingKey('first');
    for (const forged of [`${header}.${payload}.${signature}`, `${header}.${payload}.`, await token({}, stranger)])
      expect(await known(forged)).toBeUndefined();
  });

  test('that is not signed, or signed with what everybody knows, is refused', async () => {
    const rsa = await signingKey('rsa', 'RS256');
    const { known, clock } = heldKeys(rsa);
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
    const { known, issuer, clock } = heldKeys(first);
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
    const { credentials, issuer } = heldKeys(first);
    for (const text of ['', '..', 'a.b', 'a.b.c.d.e', 'rtk_x', `${'a'.repeat(9_000)}.b.c`])
      expect(credentials.identify(text)).toBeUndefined();
    expect([await credentials.signer('first'), issuer.fetches]).toEqual([undefined, 0]);
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

import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { AUDIENCE, ISSUER, type SigningKey, signingKey, startIssuer, tokenOf } from '@retrigger/test-gateway/issuer.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

/** The issuer is asked for keys that it did not have before once in 10 s. */
const ROTATED_WITHIN_MS = 30_000;

describe.each(PROFILES)('tokens of an issuer, %s', (profile) => {
  let key: SigningKey;
  let issuer: Awaited<ReturnType<typeof startIssuer>>;
  let running: Running;
  beforeAll(async () => {
    key = await signingKey('first');
    issuer = await startIssuer([key.jwk]);
    running = await start(profile, {
      RETRIGGER_JWKS_URL: issuer.url,
      RETRIGGER_JWT_ISSUER: ISSUER,
      RETRIGGER_JWT_AUDIENCE: AUDIENCE,
    });
  });
  afterAll(async () => {
    await running.stop();
    await issuer.stop();
  });

  const client = async (claims: object = {}, signedWith = key) =>
    new Client(running.url, await tokenOf(signedWith, Date.now(), { tenant: own('acme'), ...claims }));
  const statusFor = async (who: Client) => (await who.call('GET', '/api/v1/tasks')).status;

  test('a token acts in its tenant, as its user, with its roles; API keys go on beside it', async () => {
    const taskId = own('task');
    expect(await (await client()).create(taskId)).toMatchObject({ taskId, owner: 'ann' });
    expect((await (await client({ roles: ['viewer'] })).post(`/tasks/${taskId}/cancel`)).status).toBe(403);
    expect((await (await client({ tenant: own('other') })).call('GET', `/api/v1/tasks/${taskId}`)).status).toBe(404);
    expect(await statusFor(running.admin)).toBe(200);
  });

  test('one that is wrong in any way is nobody’s', async () => {
    const stranger = await signingKey('first');
    const wrong = [
      await client({ exp: Math.floor(Date.now() / 1000) - 1 }),
      await client({ aud: 'another' }),
      await client({ iss: 'https://another.example' }),
      await client({ roles: ['root'] }),
      await client({ tenant: undefined }),
      await client({}, stranger),
    ];
    expect(await Promise.all(wrong.map(statusFor))).toEqual(wrong.map(() => 401));
  });

  test('a new key of the issuer is found without a restart, and an issuer that is away takes nothing away', async () => {
    const next = await signingKey('next');
    issuer.keys.push(next.jwk);
    const rotated = await client({}, next);
    await eventually('the new key is known', async () => (await statusFor(rotated)) === 200, ROTATED_WITHIN_MS);
    issuer.answer = { status: 500, body: '' };
    expect([await statusFor(rotated), await statusFor(await client())]).toEqual([200, 200]);
  });
});

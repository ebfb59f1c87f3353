import { Client } from '@retrigger/test-faults/client.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from './installation.ts';

const KEYS = '/api/v1/api-keys';
const TWINS = 50;
/** What was changed at one gateway holds at every other one within so long. */
const KNOWN_WITHIN_MS = 5_000;

describe('two gateways', () => {
  let installation: Installation;
  let urls: [string, string];
  let doors: [Client, Client];
  beforeAll(async () => {
    installation = await Installation.fresh();
    const { RETRIGGER_API_KEY = '' } = installation.settings;
    const [one, two] = await Promise.all([installation.start('gateway').ready, installation.start('gateway').ready]);
    urls = [one, two];
    doors = [new Client(one, RETRIGGER_API_KEY), new Client(two, RETRIGGER_API_KEY)];
  });
  afterAll(() => installation.end());

  const make = async (userId: string): Promise<{ id: string; key: string }> =>
    JSON.parse((await doors[0].send('POST', KEYS, { userId, roles: ['admin'] })).text).data;

  test('twins through both make one API key, and all get the same bytes', async () => {
    const ask = (i: number) => (doors[i % 2] as Client).send('POST', KEYS, { userId: 'ann', roles: ['viewer'], expiresIn: '1h' }, 'twin');
    const answers = await Promise.all(Array.from({ length: TWINS }, (_, i) => ask(i)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    const { apiKeys } = await doors[1].data<{ apiKeys: { userId: string }[] }>(KEYS);
    expect(apiKeys.map(({ userId }) => userId)).toEqual(['ann']);
  });

  test('a key that one has made is good at the other at once, and one that it has revoked nowhere 5 s later, however busy', async () => {
    const { id, key } = await make('bob');
    const elsewhere = new Client(urls[1], key);
    const status = async () => (await elsewhere.send('GET', '/api/v1/tasks')).status;
    expect(await status()).toBe(200);
    expect((await doors[0].send('DELETE', `${KEYS}/${id}`)).status).toBe(204);
    await eventually('it is refused', async () => (await status()) === 401, KNOWN_WITHIN_MS);
    expect(await status()).toBe(401);
  });

  test('a limit that a tenant sets at one holds at the other within 5 s', async () => {
    const { key } = await make('carl');
    const [here, there] = [new Client(urls[0], key), new Client(urls[1], key)];
    // Nobody decides: what passes the door is pending.
    const trigger = () => there.send('POST', '/api/v1/tasks/t/trigger', {}, undefined, { prefer: 'respond-async' });
    expect((await trigger()).status).toBe(202);
    expect((await here.send('PUT', '/api/v1/tenant/settings', { limits: { userPerHour: 1 } })).status).toBe(200);
    await eventually('it is limited', async () => (await trigger()).status === 429, KNOWN_WITHIN_MS);
  });
});

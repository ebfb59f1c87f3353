import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

type Made = { id: string; key: string; signingSecret: string };

const REVOKED_WITHIN_MS = 5_000;

describe.each(PROFILES)('API keys, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  const make = async (body: JsonObject): Promise<Made & { client: Client }> => {
    const { status, json } = await running.admin.post('/api-keys', body);
    expect(status).toBe(201);
    const made = json.data as Made;
    return { ...made, client: new Client(running.url, made.key) };
  };
  const statusFor = async (client: Client) => (await client.call('GET', '/api/v1/tasks')).status;
  const listed = async (tenantId: string) => (await running.admin.data<{ apiKeys: Made[] }>(`/api-keys?tenantId=${tenantId}`)).apiKeys;

  test('a key is made, used, listed without itself, and revoked: within 5 s it lets nobody in', async () => {
    const tenantId = own('keys');
    const { id, key, signingSecret, client } = await make({ tenantId, userId: 'ann', roles: ['operator'] });
    const taskId = own('task');
    expect(await client.create(taskId)).toMatchObject({ taskId, owner: 'ann' });
    const keys = await listed(tenantId);
    expect(keys).toMatchObject([{ id, tenantId, userId: 'ann', roles: ['operator'] }]);
    for (const secret of [key, signingSecret]) expect(JSON.stringify(keys)).not.toContain(secret);
    expect((await running.admin.call('DELETE', `/api/v1/api-keys/${id}`)).status).toBe(204);
    await eventually('the key is refused', async () => (await statusFor(client)) === 401, REVOKED_WITHIN_MS);
    expect(await listed(tenantId)).toEqual([]);
  });

  test('a repeat under an idempotency key shows the same key, and there is one', async () => {
    const tenantId = own('repeat');
    const body = { tenantId, userId: 'ann', roles: ['viewer'], expiresIn: '1h' };
    const headers = { 'idempotency-key': own('make') };
    const answers = await Promise.all([1, 2, 3].map(() => running.admin.post('/api-keys', body, headers)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(await listed(tenantId)).toHaveLength(1);
  });

  test('a key that has expired lets nobody in', async () => {
    const { client } = await make({ tenantId: own('expiry'), userId: 'ann', roles: ['viewer'], expiresIn: '1s' });
    await eventually('the key has expired', async () => (await statusFor(client)) === 401, 3_000);
  });

  test('a key acts in its tenant: what it sees and makes is that tenant’s', async () => {
    const [ours, theirs] = await Promise.all(
      ['ours', 'theirs'].map((name) => make({ tenantId: own(name), userId: 'ann', roles: ['admin'] })),
    );
    const taskId = own('shared-name');
    await ours?.client.create(taskId, { context: { of: 'ours' } });
    await theirs?.client.create(taskId, { context: { of: 'theirs' } });
    expect((await ours?.client.task(taskId))?.context).toEqual({ of: 'ours' });
    expect(await theirs?.client.data('/tasks')).toMatchObject({ tasks: [{ context: { of: 'theirs' } }] });
    const { status } = (await ours?.client.post('/api-keys', { tenantId: own('theirs'), userId: 'eve', roles: ['admin'] })) ?? {};
    expect(status).toBe(403);
  });
});

import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

describe.each(PROFILES)('settings of a tenant, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  test('an admin limits their own tenant, and takes the limit off again; nobody else is limited by it', async () => {
    const { json } = await running.admin.post('/api-keys', { tenantId: own('acme'), userId: 'boss', roles: ['admin'] });
    const boss = new Client(running.url, String(json.data.key));
    const names = ['a', 'b', 'c'].map(own);
    for (const name of names) {
      await boss.create(name);
      await running.admin.create(name);
    }
    const put = (limits: object) => boss.call('PUT', '/api/v1/tenant/settings', { limits });
    expect((await put({ userPerHour: 2 })).json.data).toMatchObject({ limits: { userPerHour: 2 }, effectiveLimits: { userPerHour: 2 } });
    const statuses: number[] = [];
    for (const name of names) statuses.push((await boss.post(`/tasks/${name}/trigger`)).status);
    for (const name of names) statuses.push((await running.admin.post(`/tasks/${name}/trigger`)).status);
    expect(statuses).toEqual([202, 202, 429, 202, 202, 202]);
    await put({ userPerHour: 0 });
    await eventually('the limit is off', async () => (await boss.post(`/tasks/${names[2]}/trigger`)).status === 202, 5_000);
    expect(await boss.data('/tenant/settings')).toMatchObject({ limits: { userPerHour: 0 } });
  });
});

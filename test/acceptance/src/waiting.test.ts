import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

describe.each(PROFILES)('waiting, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  test('respond-async answers pending at once, and its place gives the very answer that a waiting caller would have had', async () => {
    const { admin } = running;
    await admin.create(own('async'));
    const key = { 'idempotency-key': 'async' };
    const first = await admin.post(`/tasks/${own('async')}/trigger`, {}, { ...key, prefer: 'respond-async' });
    const commandId = first.headers.get('x-command-id');
    expect([first.status, first.json]).toEqual([202, { status: 202, data: { commandId, state: 'pending' } }]);
    const location = first.headers.get('location') ?? '';
    expect(location).toMatch(new RegExp(`^/api/v1/commands/${commandId}\\?accepted=\\d{4}-`));
    const at = location.replace('/api/v1', '');
    await eventually('the command is decided', async () => (await admin.data(at)).state !== 'pending');
    const repeat = await admin.post(`/tasks/${own('async')}/trigger`, {}, key);
    expect([repeat.status, repeat.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(await admin.data(at)).toEqual({ commandId, state: 'accepted', outcome: { status: 202, body: repeat.json } });
  });

  test('the outcome of a refusal is its problem', async () => {
    const { admin } = running;
    const refused = await admin.post(`/tasks/${own('nowhere')}/trigger`, {}, { 'idempotency-key': 'nowhere' });
    const command = await admin.data(`/commands/${refused.headers.get('x-command-id')}`);
    expect(command).toEqual({
      commandId: refused.headers.get('x-command-id'),
      state: 'refused',
      outcome: { status: 404, body: refused.json as JsonObject },
    });
  });

  test('what nobody sent is pending for a day after it claims to be accepted, then unknown', async () => {
    const { admin } = running;
    const at = (msAgo: number) => `/api/v1/commands/none?accepted=${new Date(Date.now() - msAgo).toISOString()}`;
    expect((await admin.call('GET', at(1_000))).json.data).toEqual({ commandId: 'none', state: 'pending' });
    expect((await admin.call('GET', at(86_400_000))).status).toBe(404);
  });

  test('health, readiness, metrics and documentation need no credentials', async () => {
    const get = async (path: string) => fetch(`${running.url}${path}`);
    expect((await get('/healthz')).status).toBe(200);
    const ready = (await (await get('/readyz')).json()) as { data: { state: string; dependencies: object } };
    expect(ready.data.state).toBe('ready');
    expect(Object.keys(ready.data.dependencies).length).toBeGreaterThan(0);
    const metrics = await running.metrics();
    for (const name of ['triggers_total', 'events_total', 'command_latency_seconds', 'http_request_seconds'])
      expect(metrics).toContain(name);
    expect(metrics).not.toMatch(/default|admin|async/);
    expect(((await (await get('/openapi.json')).json()) as { openapi: string }).openapi).toBe('3.1.0');
    expect((await get('/docs')).status).toBe(200);
  });
});

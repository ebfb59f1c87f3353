import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';

const MAIN = join(import.meta.dirname, '../../../services/standalone/src/main.ts');
const KEY = 'a-key-for-limits-and-their-loss';

describe('the limits of a process that is killed', () => {
  let folder: string;
  let child: Child;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrigger-limits-'));
  });

  afterEach(async () => {
    await kill(child);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async (env: Record<string, string>): Promise<Client> => {
    child = startChild(MAIN, [], { PORT: '0', RETRIGGER_DATA_DIR: folder, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error', ...env });
    return new Client(await child.ready, KEY);
  };
  const patient = { prefer: 'wait=30' };
  const trigger = (client: Client, taskId: string, key?: string) =>
    client.send('POST', `/api/v1/tasks/${taskId}/trigger`, {}, key, patient);

  test('are where they were: accepted, refused by the worker and reschedules to now count; repeats, other reschedules and refusals at the door don’t', async () => {
    const env = { RETRIGGER_LIMIT_USER_PER_HOUR: '5', RETRIGGER_LIMIT_TASK_PER_HOUR: '3' };
    const before = await start(env);
    for (const taskId of ['a', 'b']) await before.send('POST', '/api/v1/tasks', { taskId, type: 'job' }, undefined, patient);
    const reschedule = (taskId: string, body: object) => before.send('PUT', `/api/v1/tasks/${taskId}/reschedule`, body, undefined, patient);
    expect((await trigger(before, 'a', 'one')).status).toBe(202);
    expect((await trigger(before, 'a', 'one')).status, 'a repeat').toBe(202);
    expect((await trigger(before, 'a')).status, 'refused by the worker').toBe(409);
    expect((await reschedule('b', { strategy: 'immediate' })).status).toBe(200);
    expect((await reschedule('b', { strategy: 'delayed', delay: '1h' })).status).toBe(409);
    expect((await before.send('POST', '/api/v1/tasks/a/trigger', { unknown: true })).status).toBe(400);
    expect((await trigger(before, 'nowhere')).status, 'no such task').toBe(404);

    await kill(child);
    const after = await start(env);
    expect((await trigger(after, 'a', 'one')).status, 'a repeat').toBe(202);
    expect((await trigger(after, 'a')).status, 'the third of the task, the fifth of the user').toBe(409);
    const refused = await fetchRefused(after, 'a');
    expect(refused).toMatchObject({ status: 429, policy: '"task";q=3;w=3600' });
    expect(refused.retryAfterS).toBeGreaterThan(3_500);
    expect(refused.retryAfterS).toBeLessThanOrEqual(3_600);
    expect(await fetchRefused(after, 'b')).toMatchObject({ status: 429, policy: '"user";q=5;w=3600' });

    await kill(child);
    expect(await fetchRefused(await start(env), 'b'), 'also the next time').toMatchObject({ status: 429 });
  });

  async function fetchRefused(client: Client, taskId: string) {
    const response = await fetch(`${await child.ready}/api/v1/tasks/${taskId}/trigger`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
    });
    await response.text();
    expect((await client.send('GET', '/readyz')).status).toBe(200);
    const { status, headers } = response;
    return { status, policy: headers.get('ratelimit-policy'), retryAfterS: Number(headers.get('retry-after')) };
  }
});

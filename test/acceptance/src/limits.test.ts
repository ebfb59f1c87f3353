import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const SYSTEM_LIMIT = 100;
const CALLS = 240;
const PATIENT = { prefer: 'wait=60' };

describe.each(PROFILES)('limits, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: String(SYSTEM_LIMIT) });
  });
  afterAll(() => running.stop());

  const trigger = (i: number): Promise<Answer> => running.admin.post(`/tasks/${own(`ac-21-${i}`)}/trigger`, {}, PATIENT);

  test('AC-21 of single triggers that come at once exactly the limit is accepted, the rest is 429 with Retry-After and left no trace', async () => {
    const { admin } = running;
    const create = (i: number) => admin.post('/tasks', { taskId: own(`ac-21-${i}`), type: 'job' }, PATIENT);
    const created = await Promise.all(Array.from({ length: CALLS }, (_, i) => create(i)));
    expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]));
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, i) => trigger(i)));
    const accepted = answers.filter(({ status }) => status === 202);
    const limited = answers.filter(({ status }) => status === 429);
    expect([accepted.length, limited.length]).toEqual([SYSTEM_LIMIT, CALLS - SYSTEM_LIMIT]);
    for (const { json, headers } of limited) {
      expect(json).toMatchObject({ code: 'rate_limited', status: 429 });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(headers.get('ratelimit')).toMatch(/^"system";r=0;t=\d+$/);
      expect(headers.get('ratelimit-policy')).toBe(`"system";q=${SYSTEM_LIMIT};w=60`);
    }
    const refused = answers.findIndex(({ status }) => status === 429);
    expect(await admin.types(own(`ac-21-${refused}`))).toEqual(['TaskCreated']);
  });

  test('past the limit, reads, creations and other reschedules go on; dry runs and what is invalid stay what they are', async () => {
    const { admin } = running;
    const taskId = own('ac-21-0');
    expect((await admin.task(taskId)).taskId).toBe(taskId);
    await admin.create(own('after-the-limit'));
    expect((await admin.reschedule(own('after-the-limit'), { strategy: 'delayed', delay: '1h' })).status).toBe(200);
    expect((await admin.post(`/tasks/${own('after-the-limit')}/trigger?dryRun=true`)).status).toBe(200);
    expect((await admin.post(`/tasks/${own('after-the-limit')}/trigger`, { unknown: 1 })).status).toBe(400);
    expect((await admin.reschedule(own('after-the-limit'), { strategy: 'immediate' })).status).toBe(429);
  });
});

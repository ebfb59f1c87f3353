import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const BULKS = 100;
const SIZE = 100;
const LIMIT = 5_000;
/** Tasks that are created at once. */
const AT_ONCE = 500;

describe.each(PROFILES)('limits of bulks, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: String(LIMIT), RETRIGGER_LIMIT_TASK_PER_HOUR: '2' }, [], 2);
    const all = Array.from({ length: BULKS }, (_, bulk) => tasksOf(bulk)).flat();
    for (let from = 0; from < all.length; from += AT_ONCE)
      await Promise.all(
        all.slice(from, from + AT_ONCE).map(({ taskId }) => running.admin.post('/tasks', { taskId, type: 'job' }, { prefer: 'wait=60' })),
      );
  }, 420_000);
  afterAll(() => running.stop());

  const tasksOf = (bulk: number) => Array.from({ length: SIZE }, (_, i) => ({ taskId: own(`t-${bulk}-${i}`) }));
  const send = (bulk: number): Promise<Answer> =>
    (running.others[bulk % (running.others.length + 1)] ?? running.admin).post(
      '/tasks/bulk/trigger',
      { tasks: tasksOf(bulk) },
      { prefer: 'wait=60' },
    );

  test('AC-21 of 100 bulks of 100 at once, through every gateway, exactly what the limit allows is accepted; the rest is 429 and left no trace', async () => {
    const answers = await Promise.all(Array.from({ length: BULKS }, (_, bulk) => send(bulk)));
    const accepted = answers.flatMap(({ status, json }) => (status === 200 ? [(json.data as { accepted: number }).accepted] : []));
    expect(accepted.reduce((sum, one) => sum + one, 0)).toBe(LIMIT);
    const limited = answers.filter(({ status }) => status === 429);
    expect(accepted.length + limited.length).toBe(BULKS);
    for (const { json, headers } of limited) {
      expect(json).toMatchObject({ code: 'rate_limited', status: 429 });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const refused = answers.findIndex(({ status }) => status === 429);
    expect(await running.admin.types(own(`t-${refused}-0`))).toEqual(['TaskCreated']);
  }, 240_000);

  test('what a door refuses costs nothing, and each task has its own limit', async () => {
    const accepting = await start(profile, { RETRIGGER_LIMIT_USER_PER_HOUR: '3', RETRIGGER_LIMIT_TASK_PER_HOUR: '2' });
    const { admin } = accepting;
    try {
      for (const name of ['a', 'b', 'c', 'd']) await admin.create(own(name));
      const bulk = (names: string[]) => admin.post('/tasks/bulk/trigger', { tasks: names.map((name) => ({ taskId: own(name) })) });
      const more = (await bulk(['a', 'b', 'c', 'd'])).json;
      expect([more.status, more.detail], 'more than is left is refused whole').toEqual([429, expect.stringContaining('ask for fewer')]);
      expect((await bulk([])).status).toBe(400);
      expect((await bulk(['a', 'b'])).status).toBe(200);
      expect((await bulk(['c', 'd'])).json).toMatchObject({ status: 429, detail: expect.stringMatching(/has 1 left.*try again in/) });
      expect((await bulk(['a'])).status, 'the third').toBe(200);
      expect((await bulk(['c'])).status).toBe(429);
      const later = { strategy: 'delayed', delay: '1h' };
      const free = await admin.call('PUT', '/api/v1/tasks/bulk/reschedule', {
        tasks: [{ taskId: own('c') }, { taskId: own('d') }],
        schedule: later,
      });
      expect(free.status, 'a schedule that is not due now costs nothing').toBe(200);
    } finally {
      await accepting.stop();
    }
  });
});

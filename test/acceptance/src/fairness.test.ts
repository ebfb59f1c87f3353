import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

/** What a tenant may have undecided on a partition here: few, so that HTTP is quick enough to fill it. The default's figure is of `npm run bench:fairness`. */
const QUOTA = 50;
const LANES_OF_A = QUOTA + 10;
/** Politer than a Retry-After of a second, so that A stays at its quota. */
const PAUSE_OF_A_MS = 25;
const CALLS_OF_B = 30;
/** As the README has it. */
const MOST_P95_MS = 2_000;

describe.each(PROFILES)('fairness, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile, { RETRIGGER_LIMIT_TENANT_UNDECIDED: String(QUOTA) });
  });
  afterAll(() => running.stop());

  const tenant = async (name: string): Promise<Client> => {
    const { status, json } = await running.admin.post('/api-keys', { tenantId: own(name), userId: 'ann', roles: ['admin'] });
    expect(status).toBe(201);
    return new Client(running.url, String(json.data.key));
  };

  test('beside a tenant that has all it may on a partition, another one is answered, and never refused for it', {
    timeout: 90_000,
  }, async () => {
    const [a, b] = await Promise.all([tenant('a'), tenant('b')]);
    const hot = own('hot');
    await a.create(hot);
    let isRunning = true;
    const told = new Map<string, number>();
    const busy = Array.from({ length: LANES_OF_A }, async () => {
      while (isRunning) {
        const { status, headers } = await a.post(`/tasks/${hot}/trigger`, {}, { prefer: 'respond-async' });
        const what = status === 429 ? `429 ${headers.get('ratelimit-policy')}` : String(status);
        told.set(what, (told.get(what) ?? 0) + 1);
        if (status === 429) await new Promise((resolve) => setTimeout(resolve, PAUSE_OF_A_MS));
      }
    });
    const times: number[] = [];
    try {
      for (let i = 0; i < CALLS_OF_B; i++) {
        const from = performance.now();
        const { status } = await b.post('/tasks', { taskId: own(`b-${i}`), type: 'job' }, { prefer: 'wait=60' });
        expect(status).toBe(201);
        times.push(performance.now() - from);
      }
    } finally {
      isRunning = false;
      await Promise.all(busy);
    }
    expect(told.get(`429 "undecided";q=${QUOTA};qu="concurrent-requests"`), 'A was at its quota').toBeGreaterThan(0);
    expect(told.get('202'), 'and got on').toBeGreaterThan(QUOTA);
    expect([...told.keys()].filter((what) => !/^(202|409|429 .*undecided.*)$/.test(what))).toEqual([]);
    const p95 = times.toSorted((one, other) => one - other)[Math.ceil(0.95 * times.length) - 1] ?? Number.NaN;
    process.stdout.write(`B beside A, ${profile}: P95 ${Math.round(p95)} ms\n`);
    expect(p95).toBeLessThan(MOST_P95_MS);
  });
});

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
/** As the README has it; where the machine is so busy that B alone is slow, so many times that. */
const MOST_P95_MS = 2_000;
const MOST_TIMES_ALONE = 20;

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
    /** P95 in milliseconds of calls one after the other. */
    const timesOfB = async (name: string): Promise<number> => {
      const times: number[] = [];
      for (let i = 0; i < CALLS_OF_B; i++) {
        const from = performance.now();
        const { status } = await b.post('/tasks', { taskId: own(`${name}-${i}`), type: 'job' }, { prefer: 'wait=60' });
        expect(status).toBe(201);
        times.push(performance.now() - from);
      }
      return times.toSorted((one, other) => one - other)[Math.ceil(0.95 * times.length) - 1] ?? Number.NaN;
    };
    const alone = await timesOfB('alone');
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
    let beside: number;
    try {
      beside = await timesOfB('beside');
    } finally {
      isRunning = false;
      await Promise.all(busy);
    }
    expect(told.get(`429 "undecided";q=${QUOTA};qu="concurrent-requests"`), 'A was at its quota').toBeGreaterThan(0);
    expect(told.get('202'), 'and got on').toBeGreaterThan(QUOTA);
    expect([...told.keys()].filter((what) => !/^(202|409|429 .*undecided.*)$/.test(what))).toEqual([]);
    process.stdout.write(`B, ${profile}: P95 ${Math.round(alone)} ms alone, ${Math.round(beside)} ms beside A\n`);
    expect(beside).toBeLessThan(Math.max(MOST_P95_MS, MOST_TIMES_ALONE * alone));
  });
});

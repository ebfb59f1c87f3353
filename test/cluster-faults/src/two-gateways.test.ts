import { API_KEY } from '@retrigger/test-cluster/installation.ts';
import { startFreezingProxy } from '@retrigger/test-cluster-stores/freezing-proxy.ts';
import { Client } from '@retrigger/test-faults/client.ts';
import { twinsAgree } from '@retrigger/test-faults/twins.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { Installation } from './installation.ts';
import { everyPartitionDecides } from './take-over.ts';

const DEFAULTS = {
  RETRIGGER_LIMIT_USER_PER_HOUR: '1000',
  RETRIGGER_LIMIT_TASK_PER_HOUR: '100',
  RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: '10000',
};
const LIMIT = 60;
const CALLS = 150;

let installation: Installation | undefined;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') process.stdout.write(installation?.said() ?? '');
  await installation?.end();
});

describe('two gateways', () => {
  test('AC-02 two hundred twins at once, spread over both, a worker killed in between: one execution, the same bytes, default limits', async () => {
    const used = await Installation.fresh(DEFAULTS);
    installation = used;
    const victim = used.startWorker({ point: 'events-stored', nth: 2, signal: 'SIGKILL' });
    const doors = await Promise.all([used.door(), used.door()]);
    await victim.ready;
    let turn = 0;
    let other: Promise<unknown> | undefined;
    await twinsAgree(doors, async () => {
      other ??= victim.ended.then(() => used.startWorker().ready);
      await other;
      return doors[turn++ % 2] as Client;
    });
    expect(victim.process.signalCode).toBe('SIGKILL');
  });

  test('of two different tasks that are created under one key, one at each gateway at once, one is there; the other is told what differs', async () => {
    const used = await Installation.fresh(DEFAULTS);
    installation = used;
    const worker = used.startWorker();
    const doors = await Promise.all([used.door(), used.door()]);
    await worker.ready;
    await everyPartitionDecides(doors[0], 'start');
    for (let n = 0; n < 30; n++) {
      const create = (door: Client, taskId: string) =>
        door.send('POST', '/api/v1/tasks', { taskId, type: 'job' }, `both-${n}`, { prefer: 'wait=60' });
      const replies = await Promise.all([create(doors[0], `one-${n}`), create(doors[1], `two-${n}`)]);
      expect(replies.map(({ status }) => status).toSorted()).toEqual([201, 422]);
      const refused = replies.find(({ status }) => status === 422);
      expect(JSON.parse(refused?.text ?? '{}')).toMatchObject({ code: 'idempotency_key_reused', fields: ['taskId'] });
      const found = await Promise.all([`one-${n}`, `two-${n}`].map((taskId) => doors[0].send('GET', `/api/v1/tasks/${taskId}`)));
      expect(found.map(({ status }) => status).toSorted()).toEqual([200, 404]);
    }
  });

  test('AC-21 exactly the limit is accepted, whichever gateway is asked; the rest is 429', async () => {
    const used = await Installation.fresh({ ...DEFAULTS, RETRIGGER_LIMIT_SYSTEM_PER_MINUTE: String(LIMIT) });
    installation = used;
    const worker = used.startWorker();
    const doors = await Promise.all([used.door(), used.door()]);
    await worker.ready;
    await everyPartitionDecides(doors[0], 'start');
    const ask = (i: number, path: string, body: object) =>
      (doors[i % 2] as Client).send('POST', path, body, `${path}-${i}`, { prefer: 'wait=60' });
    const all = (path: (i: number) => string, body: (i: number) => object) =>
      Promise.all(Array.from({ length: CALLS }, (_, i) => ask(i, path(i), body(i))));
    const created = await all(
      () => '/api/v1/tasks',
      (i) => ({ taskId: `t${i}`, type: 'job' }),
    );
    expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]));
    const triggered = await all(
      (i) => `/api/v1/tasks/t${i}/trigger`,
      () => ({}),
    );
    const count = (status: number) => triggered.filter((reply) => reply.status === status).length;
    expect([count(202), count(429)]).toEqual([LIMIT, CALLS - LIMIT]);
  });
});

test('a gateway without Redis refuses what costs (503), goes on with the rest, says so in readiness and metrics, and comes back by itself', async () => {
  const used = await Installation.fresh(DEFAULTS);
  installation = used;
  const proxy = await startFreezingProxy(used.settings.RETRIGGER_REDIS_URL ?? '');
  try {
    const worker = used.startWorker();
    const url = await used.start('gateway', { RETRIGGER_REDIS_URL: proxy.url }).ready;
    const door = new Client(url, API_KEY);
    await worker.ready;
    await everyPartitionDecides(door, 'start');
    const create = (taskId: string) => door.send('POST', '/api/v1/tasks', { taskId, type: 'job' }, undefined, { prefer: 'wait=30' });
    const trigger = (taskId: string) => door.send('POST', `/api/v1/tasks/${taskId}/trigger`, {}, undefined, { prefer: 'wait=30' });
    const readiness = async () => JSON.parse((await door.send('GET', '/readyz')).text);
    expect((await create('a')).status).toBe(201);

    proxy.away(true);
    await eventually('readiness says so', async () => (await readiness()).dependencies?.redis === 'down');
    const refused = await fetch(`${url}/api/v1/tasks/a/trigger`, { method: 'POST', headers: { authorization: `Bearer ${API_KEY}` } });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await refused.json()).toMatchObject({ code: 'unavailable' });
    expect((await create('b')).status, 'what costs nothing goes on, and its answer is found in the receipt').toBe(201);
    expect((await door.send('GET', '/metrics')).text).toMatch(/^limits_unavailable_total(\{[^}]*\})? [1-9]/m);
    expect((await door.events('a')).map(({ eventType }) => eventType)).toEqual(['TaskCreated']);

    proxy.away(false);
    await eventually('it triggers again', async () => (await trigger('a')).status === 202);
    await eventually('it is ready again', async () => (await door.send('GET', '/readyz')).status === 200);
  } finally {
    await proxy.close();
  }
});

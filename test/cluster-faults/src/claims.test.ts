import { createClient } from '@retrigger/client/client.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import { API_KEY } from '@retrigger/test-cluster/installation.ts';
import { kill } from '@retrigger/test-faults/child.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Installation } from './installation.ts';

let installation: Installation;
beforeEach(async () => {
  installation = await Installation.fresh();
});
afterEach(() => installation.end());

const COUNT = 40;

test('claims through two gateways, one of which is killed: each execution is given once', async () => {
  const doors = [installation.start('gateway'), installation.start('gateway')];
  const [one = '', two = ''] = await Promise.all(doors.map(({ ready }) => ready));
  const workers = [installation.startWorker(), installation.startWorker()];
  await Promise.all(workers.map(({ ready }) => ready));
  const client = createClient({ url: two, key: API_KEY, withinMs: 60_000 });
  const doomed = createClient({ url: one, key: API_KEY, withinMs: 60_000 });
  const ids = Array.from({ length: COUNT }, (_, n) => `claimed-${n}`);
  for (const taskId of ids) dataOf(await client.createTask({ taskId, type: 'claimed' }));

  const given = new Map<string, string[]>();
  let isOver = false;
  /** Claims under keys of its own, tries the other gateway when its own is gone, and reports at once. */
  const claimer = async (name: string, gateways: (typeof client)[]) => {
    for (let n = 0; !isOver; n++) {
      const how = { idempotencyKey: `${name}-${n}`, withinMs: 20_000, tryWithinMs: 15_000 };
      const body = { types: ['claimed'], wait: '1s', max: 3 };
      let outcome = await (gateways[0] ?? client).claim(body, how);
      if (!outcome.ok) outcome = await client.claim(body, how);
      for (const { executionId } of dataOf(outcome)) {
        given.set(executionId, [...(given.get(executionId) ?? []), name]);
        dataOf(await client.completed(executionId));
      }
    }
  };
  const short = createClient({ url: one, key: API_KEY, withinMs: 2_000 });
  const claimers = [claimer('a', [short]), claimer('b', [client]), claimer('c', [short]), claimer('d', [client])];
  const triggered: string[] = [];
  for (const [n, taskId] of ids.entries()) {
    if (n === COUNT / 2 && doors[0] !== undefined) await kill(doors[0]);
    triggered.push(dataOf(await (n < COUNT / 4 ? doomed : client).trigger(taskId)).executionId);
  }
  for (const end = performance.now() + 120_000; given.size < COUNT && performance.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 100));
  isOver = true;
  await Promise.all(claimers);
  expect([...given.keys()].toSorted()).toEqual(triggered.toSorted());
  expect([...given.values()].filter((names) => names.length > 1)).toEqual([]);
});

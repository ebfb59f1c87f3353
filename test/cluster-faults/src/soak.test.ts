import { cluster } from '@retrigger/test-cluster/servers.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { everyPartitionDecides } from './take-over.ts';
import { UnderLoad } from './under-load.ts';
let used: UnderLoad;
beforeAll(async () => { used = await UnderLoad.start(); });
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') process.stdout.write(used.installation.said());
  for (const server of ['kafka']) await cluster('start', server);
});
afterAll(() => used.end());
test.each(Array.from({ length: 8 }, (_, i) => [`s${i}`, i % 4 === 3 ? 'kill' as const : 'stop' as const]))('%s %s', async (name, how) => {
  const load = used.load(name);
  await used.goesOn(load);
  const t = Date.now();
  await cluster(how, 'kafka'); await cluster('start', 'kafka');
  const up = Date.now();
  process.stdout.write(`${name}: down ${up - t} every partition decides ${await everyPartitionDecides(used.door, `after-${name}`)} ms\n`);
  await used.goesOn(load);
  await used.work(used.one, used.two);
  expect(await used.settle(load)).toEqual([]);
  expect(used.installation.ended()).toEqual([]);
});

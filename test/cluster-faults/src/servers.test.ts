import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cluster } from '@retrigger/test-cluster/servers.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { everyPartitionDecides } from './take-over.ts';
import { UnderLoad } from './under-load.ts';

const run = promisify(execFile);

/** The same processes live through all of it. */
let used: UnderLoad;
beforeAll(async () => {
  used = await UnderLoad.start();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') process.stdout.write(used.installation.said());
  for (const server of ['kafka', 'mongo', 'redis', 'registry']) await cluster('start', server);
});
afterAll(() => used.end());

const restart = (how: 'stop' | 'kill', server: string) => async () => {
  await cluster(how, server);
  await cluster('start', server);
};

test.each([
  ['broker-stopped', 'a broker that is stopped and started', restart('stop', 'kafka')],
  ['broker-killed', 'a broker that is killed and started', restart('kill', 'kafka')],
  ['store-killed', 'a store that is killed and started', restart('kill', 'mongo')],
  ['redis-killed', 'a Redis that is killed and started', restart('kill', 'redis')],
  [
    'redis-emptied',
    'a Redis that forgets everything',
    () => run('redis-cli', ['-u', used.installation.settings.RETRIGGER_REDIS_URL ?? '', 'flushall']),
  ],
  ['registry-killed', 'a schema registry that is killed and started', restart('kill', 'registry')],
])('%s: %s under load costs nothing but time, and no process of ours is started again', async (name, _what, fault) => {
  const { one, two, door, installation } = used;
  const load = used.load(name);
  await used.goesOn(load);
  await fault();
  process.stdout.write(
    `${name}: every partition decides ${await everyPartitionDecides(door, `after-${name}`)} ms after it answers again\n`,
  );
  await used.goesOn(load);
  await used.work(one, two);
  expect(await used.settle(load)).toEqual([]);
  expect(installation.ended()).toEqual([]);
});

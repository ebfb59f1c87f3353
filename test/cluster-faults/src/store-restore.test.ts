import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Event } from '@retrigger/domain/event.ts';
import { type Answered, startLoad } from '@retrigger/test-faults/backup-load.ts';
import type { Client } from '@retrigger/test-faults/client.ts';
import { startTarget } from '@retrigger/test-faults/target.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { violations } from '@retrigger/test-history/checkers.ts';
import { expect, onTestFinished, test } from 'vitest';
import { Installation } from './installation.ts';
import { dumpStore, loseStore, restoreStore } from './store-dump.ts';
import { everyPartitionDecides } from './take-over.ts';

const REBUILD = fileURLToPath(import.meta.resolve('@retrigger/worker/rebuild/main.ts'));
const BEFORE_THE_DUMP = 80;
const AFTER_THE_DUMP = 250;
const AT_ONCE = 8;

const rebuild = (since: string, env: { [variable: string]: string }) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', REBUILD, since], {
    env: { PATH: process.env.PATH, ...env },
  });

async function streamsOf(door: Client): Promise<Map<string, Event[]>> {
  const { tasks } = await door.data<{ tasks: { taskId: string }[] }>('/api/v1/tasks?pageSize=1000');
  const streams = new Map<string, Event[]>();
  await forEach(tasks, async ({ taskId }) => void streams.set(`default/${taskId}`, await door.events(taskId)));
  return streams;
}

/** A few at once. */
async function forEach<T>(all: T[], each: (one: T) => Promise<void>): Promise<void> {
  const left = all.values();
  const lane = async () => {
    for (const one of left) await each(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

const isDecided = ({ reply }: Answered): boolean => reply.status < 500 && !reply.text.includes('"state":"pending"');

test('a store that is lost is made anew from its dump and the kept topics: the same events, the same answers, and work goes on', async () => {
  const installation = await Installation.fresh();
  const target = await startTarget();
  onTestFinished(async () => {
    await installation.end();
    await target.stop();
  });
  const { settings } = installation;
  const url = settings.RETRIGGER_MONGODB_URL ?? '';
  const startWorkers = () => Promise.all([installation.startWorker().ready, installation.startWorker().ready]);
  await Promise.all([startWorkers(), installation.start('dispatcher').ready]);
  const door = await installation.door();
  await everyPartitionDecides(door, 'start');
  await door.send('POST', '/api/v1/tasks', { taskId: 'shared', type: 'job' });

  const load = startLoad(door, target.url);
  await eventually('there is load', async () => load.answered.length > BEFORE_THE_DUMP, 120_000);
  const since = new Date().toISOString();
  const dump = await dumpStore(url);
  const atDump = load.answered.length;
  await eventually('there is more', async () => load.answered.length > atDump + AFTER_THE_DUMP, 120_000);
  await load.stop();
  const isBusy = async () =>
    (await door.data<{ tasks: { taskId: string; status: string }[] }>('/api/v1/tasks?pageSize=1000')).tasks.some(
      ({ taskId, status }) => status === 'Scheduled' || (status === 'Running' && !taskId.endsWith('claimed') && taskId !== 'shared'),
    );
  await eventually('what was begun has ended', async () => !(await isBusy()), 120_000);
  const before = await streamsOf(door);
  await expect(rebuild(since, settings), 'while services run').rejects.toThrow('stop every service first');
  await installation.end();

  await loseStore(url);
  await restoreStore(url, dump);
  const { stdout } = await rebuild(since, settings);
  process.stdout.write(stdout);

  await startWorkers();
  const again = await installation.door();
  await everyPartitionDecides(again, 'after');
  await installation.start('dispatcher').ready;
  const after = await streamsOf(again);
  for (const [key, events] of before) expect(after.get(key), key).toEqual(events);
  expect(violations({ streams: after, states: new Map(), acknowledged: [], calls: target.calls })).toEqual([]);
  const answered = load.answered.filter(isDecided);
  await forEach(answered, async ({ method, path, body, key, reply }) => {
    const repeated = await again.send(method, path, body, key);
    expect([repeated.status, repeated.text], `${method} ${path} ${JSON.stringify(body)}`).toEqual([reply.status, reply.text]);
  });
  const claimed = answered.filter(({ path }) => path.endsWith('claimed/trigger'));
  for (const { reply } of claimed) {
    const { executionId } = JSON.parse(reply.text).data;
    expect((await again.send('POST', `/api/v1/executions/${executionId}/completed`, { result: 'late' })).status).toBe(200);
  }
  process.stdout.write(`${answered.length} answers, ${[...before.values()].flat().length} events\n`);
}, 480_000);

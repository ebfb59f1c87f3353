import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { triggersWereCalled, violations } from '@retrigger/test-history/checkers.ts';
import type { Acknowledged, Call } from '@retrigger/test-history/recorded.ts';
import { seeded } from '@retrigger/test-scaling/seeded.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answered, startLoad } from './backup-load.ts';
import { skewOf } from './backup-skew.ts';
import { type Child, kill, startChild } from './child.ts';
import { Client } from './client.ts';
import { startTarget } from './target.ts';

const KEY = 'a-key-for-the-backup-tests';
const entry = (name: string): string => fileURLToPath(import.meta.resolve(`@retrigger/${name}`));
/** Another one each time; RETRIGGER_BACKUP_SEED has the moments of a run again. */
const SEED = Number(process.env.RETRIGGER_BACKUP_SEED ?? Date.now() % 1_000_000);
const chance = seeded(SEED);
/** After so many answers the backup begins: soon, when there is some work, when there is much. */
const MOMENTS = [
  [1, 15],
  [16, 80],
  [81, 200],
].map(([least = 0, most = 0]) => least + Math.floor(chance() * (most - least + 1)));
process.stdout.write(`the moments of the backups are of RETRIGGER_BACKUP_SEED=${SEED}\n`);

/** Starts services and commands one after the other, each of which may take its time on a busy machine. */
const PATIENCE_MS = 240_000;

type Told = { code: number; text: string };

let folder: string;
let children: Child[];
let target: Awaited<ReturnType<typeof startTarget>>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'retrigger-backup-'));
  children = [];
  target = await startTarget();
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  await target.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inFolder = (name: string): string => join(folder, name);

async function start(dataDir: string): Promise<{ child: Child; client: Client }> {
  const env = { PORT: '0', RETRIGGER_DATA_DIR: dataDir, RETRIGGER_API_KEY: KEY, RETRIGGER_LOG_LEVEL: 'error' };
  const child = startChild(entry('standalone/main.ts'), [], {
    ...env,
    RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
    RETRIGGER_LIMIT_TASK_PER_HOUR: '0',
    RETRIGGER_LIMIT_USER_PER_HOUR: '0',
  });
  children.push(child);
  return { child, client: new Client(await child.ready, KEY) };
}

/** Runs a command as its npm script does. */
async function command(name: string, dataDir: string, ...args: string[]): Promise<Told> {
  const env = { PATH: process.env.PATH, RETRIGGER_DATA_DIR: dataDir };
  return promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', entry(name), ...args], { env }).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, text: error.stderr + error.stdout }),
  );
}
const backUp = (dataDir: string, to: string) => command('standalone/backup/main.ts', dataDir, to);
const restore = (from: string, dataDir: string) => command('standalone/restore/main.ts', dataDir, from);

const isDecided = ({ reply }: Answered): boolean => !reply.text.includes('"state":"pending"');

/** Everything in a folder that is answered for, once the work of the backup has ended: what was told, once more, and what the checkers say. */
async function goesOn(client: Client, before: Answered[], earlier: Call[]): Promise<void> {
  const acknowledged: Acknowledged[] = [];
  for (const { method, path, body, key, reply } of before) {
    const again = await client.send(method, path, body, key);
    expect([again.status, again.text], `${method} ${path}`).toEqual([reply.status, reply.text]);
    const taskId = /tasks\/([^/]+)\/trigger/.exec(path)?.[1];
    if (taskId === undefined || taskId === 'bulk') continue;
    const { data } = JSON.parse(reply.text);
    acknowledged.push({ key: `default/${taskId}`, commandId: reply.commandId, kind: 'accepted', answer: data });
    if (!taskId.endsWith('claimed')) continue;
    expect((await client.send('POST', `/api/v1/executions/${data.executionId}/completed`, { result: 'late' })).status).toBe(200);
  }
  const tasks = async () => (await client.data<{ tasks: { taskId: string; status: string }[] }>('/api/v1/tasks?pageSize=1000')).tasks;
  const isBusy = ({ taskId, status }: { taskId: string; status: string }): boolean =>
    status === 'Scheduled' || (status === 'Running' && !taskId.endsWith('claimed') && taskId !== 'shared');
  await eventually('the work of the backup ends', async () => !(await tasks()).some(isBusy), 120_000);
  const streams = new Map<string, Event[]>();
  for (const { taskId } of await tasks()) streams.set(`default/${taskId}`, await client.events(taskId));
  const recorded = { streams, states: new Map(), acknowledged, calls: target.calls };
  expect(violations(recorded)).toEqual([]);
  const called = [...streams].filter(([key]) => !key.endsWith('claimed') && key !== 'default/shared');
  expect(triggersWereCalled({ ...recorded, streams: new Map(called), calls: [...earlier, ...target.calls] })).toEqual([]);
}

describe(`a backup of a running service (seed ${SEED})`, () => {
  test.each(MOMENTS)(
    'taken after %d answers is one moment: restored, it knows all that was acknowledged by then, once, and work goes on',
    async (moment) => {
      const [data, backup, restored] = [inFolder('data'), inFolder('backup'), inFolder('restored')];
      const first = await start(data);
      const create = (taskId: string, rest: object) => first.client.send('POST', '/api/v1/tasks', { taskId, type: 'job', ...rest });
      await create('shared', {});
      await create('secret', { sensitive: true, context: { pin: '4711' } });
      const issued = await first.client.send('POST', '/api/v1/api-keys', { userId: 'ann', roles: ['viewer'] });
      const load = startLoad(first.client, target.url);
      await eventually('there is load', async () => load.answered.length >= moment, 120_000);
      const told = await backUp(data, backup);
      expect(told).toMatchObject({ code: 0, text: expect.stringContaining(backup) });
      await kill(first.child);
      await load.stop();

      expect(skewOf(backup, backup)).toEqual({ ahead: [], behind: [] });
      const { takenAt } = JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8'));
      const before = load.answered.filter((answered) => answered.at < Date.parse(takenAt) && isDecided(answered));
      expect(before.length).toBeGreaterThanOrEqual(Math.min(moment, 1));
      for (const name of ['log.db-wal', 'log.db-shm', 'store.db-wal', 'store.db-shm']) rmSync(join(backup, name), { force: true }); // of the look at it
      expect(await restore(backup, restored)).toMatchObject({ code: 0, text: expect.stringContaining(takenAt) });
      rmSync(data, { recursive: true });
      const earlier = target.calls.splice(0);

      const second = await start(restored);
      await goesOn(second.client, before, earlier);
      expect((await second.client.task('secret')).context).toEqual({ pin: '4711' });
      const ann = new Client(await second.child.ready, JSON.parse(issued.text).data.key);
      expect((await ann.send('GET', '/api/v1/tasks/shared')).status).toBe(200);
      const exported = inFolder('events.jsonl');
      writeFileSync(exported, (await second.client.send('GET', '/api/v1/events?format=jsonl')).text);
      expect(await command('verifier/main.ts', restored, exported)).toMatchObject({ code: 0 });
    },
    PATIENCE_MS,
  );

  test(
    'the check for skew finds a log and a store of two moments',
    async () => {
      const [data, early, late] = [inFolder('data'), inFolder('early'), inFolder('late')];
      const { client, child } = await start(data);
      await client.send('POST', '/api/v1/tasks', { taskId: 'a', type: 'job' }, 'a');
      expect((await backUp(data, early)).code).toBe(0);
      const { commandId } = await client.send('POST', '/api/v1/tasks', { taskId: 'b', type: 'job' }, 'b');
      await eventually('the offset is written', async () => {
        rmSync(late, { recursive: true, force: true });
        expect((await backUp(data, late)).code).toBe(0);
        return skewOf(late, early).behind.length > 0;
      });
      expect(skewOf(late, early)).toEqual({ ahead: [], behind: [`CreateTask ${commandId}`] });
      expect(skewOf(early, late)).toEqual({ ahead: ['default/b/1'], behind: [] });
      expect(skewOf(late, late)).toEqual({ ahead: [], behind: [] });
      await kill(child);
      expect((await backUp(data, inFolder('of-the-dead'))).code, 'of a service that was killed').toBe(0);
    },
    PATIENCE_MS,
  );
});

describe('npm run backup and npm run restore', () => {
  test(
    'say in one line what is wrong, and leave nothing behind',
    async () => {
      const [data, backup] = [inFolder('data'), inFolder('backup')];
      const { client, child } = await start(data);
      await client.send('POST', '/api/v1/tasks', { taskId: 'a', type: 'job' });
      const refuses = async (told: Promise<Told>, ...words: string[]) => {
        const { code, text } = await told;
        expect([code, text.trimEnd().split('\n').length, text]).toEqual([1, 1, expect.stringContaining(words.shift() ?? '')]);
        for (const word of words) expect(text).toContain(word);
      };
      await refuses(backUp(inFolder('nothing'), backup), 'is no data folder', 'RETRIGGER_DATA_DIR');
      await refuses(backUp(data, join(data, 'backup')), 'lies in the data folder');
      mkdirSync(backup);
      writeFileSync(join(backup, 'mine'), 'mine');
      await refuses(backUp(data, backup), 'is not empty');
      expect(readdirSync(backup)).toEqual(['mine']);
      await refuses(restore(backup, inFolder('new')), 'is no backup that was finished');
      await refuses(restore(inFolder('nothing'), inFolder('new')), 'there is no');
      rmSync(backup, { recursive: true });
      expect((await backUp(data, backup)).code).toBe(0);
      await refuses(restore(backup, data), 'another process uses the data folder');
      await kill(child);
      await refuses(restore(backup, data), 'is not empty');

      renameSync(join(data, 'keys.db'), join(data, 'keys.away'));
      mkdirSync(join(data, 'keys.db'));
      await refuses(backUp(data, inFolder('another')), 'was not backed up', 'Nothing was left');
      expect(existsSync(inFolder('another')), 'log and store were copied by then').toBe(false);

      const kept = readFileSync(join(backup, 'keys/keys.db'));
      rmSync(join(backup, 'keys/keys.db'));
      await refuses(restore(backup, inFolder('new')), 'keys.db is missing', 'where you keep the keys');
      writeFileSync(join(backup, 'keys/keys.db'), kept.fill(7, 100, 110));
      await refuses(restore(backup, inFolder('new')), 'is not what was backed up');
      expect(readdirSync(inFolder('new'))).toEqual(['lock.db']);
    },
    PATIENCE_MS,
  );

  test('a folder whose restore was stopped half-way does not start', async () => {
    const data = inFolder('data');
    mkdirSync(data);
    writeFileSync(join(data, 'restoring'), '');
    await expect(start(data)).rejects.toThrow('was restored in part only');
    expect(existsSync(join(data, 'store.db'))).toBe(false);
  });
});

import { now } from '../load.ts';
import { peer, versionsOf } from './peer-library.ts';
import { startPostgres } from './servers.ts';
import { type BrokenBulk, FILLER, type RunWorker, type System } from './system.ts';
import { startWorkerProcess, until } from './worker-process.ts';

const QUEUE = 'bench';
const POOL = 20;
const DAY_S = 86_400;

type Job = { data: { task: string; filler: string } };
type Boss = {
  on(event: string, heard: (error: Error) => void): void;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  createQueue(name: string, options: object): Promise<void>;
  send(name: string, data: Job['data'], options: object): Promise<string | null>;
  insert(name: string, jobs: object[]): Promise<unknown>;
  update(name: string, data: undefined, options: object): Promise<unknown>;
  work(name: string, options: object, run: (jobs: Job[]) => Promise<void>): Promise<unknown>;
};
type PgBossModule = { PgBoss: new (options: object) => Boss };
type Pool = {
  query(text: string, values?: unknown[]): Promise<{ rows: { count: number }[] }>;
  on(event: string, heard: () => void): void;
  end(): Promise<void>;
};
type Pg = { Pool: new (options: object) => Pool };

/** Whether LISTEN/NOTIFY wakes the workers. Without it they look twice a second, and a commit takes no lock for telling: slower to start, faster in all. */
export type Waking = 'notify' | 'poll';

const options = (url: string, max: number) => ({ connectionString: url, max, useListenNotify: true, schedule: false });
const ignore = (boss: Boss): Boss => {
  for (const event of ['error', 'warning']) boss.on(event, () => {}); // what fails, fails its call too
  return boss;
};

export const runWorker: RunWorker = async ({ url = '' }, hooks) => {
  const boss = ignore(new (peer<PgBossModule>('pg-boss').PgBoss)({ ...options(url, 10), supervise: false }));
  await boss.start();
  const work = {
    batchSize: 200,
    localConcurrency: 2,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 0.5,
    burstWhenBatchFull: true,
  };
  await boss.work(QUEUE, work, async (jobs) => {
    for (const { data } of jobs) hooks.started(data.task);
  });
  return () => boss.stop({ graceful: false });
};

export async function startPgBoss(waking: Waking): Promise<System> {
  const postgres = await startPostgres();
  const boss = ignore(new (peer<PgBossModule>('pg-boss').PgBoss)(options(postgres.url, POOL)));
  await boss.start();
  await boss.createQueue(QUEUE, { notify: waking === 'notify' });
  const pool = new (peer<Pg>('pg').Pool)({ connectionString: postgres.url, max: 1 });
  pool.on('error', () => {});
  const worker = await startWorkerProcess('pg-boss', { url: postgres.url });
  const scheduled = new Map<string, string>();
  const once = (task: string, delayMs = 0) => ({
    singletonKey: task,
    singletonSeconds: DAY_S,
    ...(delayMs === 0 ? {} : { startAfter: new Date(Date.now() + delayMs) }),
  });
  const data = (task: string) => ({ task, filler: FILLER });
  const count = async (where: string): Promise<number> =>
    (await pool.query(`select count(*)::int count from pgboss.job where ${where}`)).rows[0]?.count ?? 0;
  return {
    about: { ...versionsOf('pg-boss', 'pg'), waking, pool: POOL, duplicates: 'singletonKey for a day', batchSize: 200 },
    worker,
    pids: { postgres: postgres.pid, worker: worker.pid },
    register: async () => {},
    trigger: async (task) => void (await boss.send(QUEUE, data(task), once(task))),
    async schedule(task, delayMs) {
      scheduled.set(task, (await boss.send(QUEUE, data(task), once(task, delayMs))) ?? '');
    },
    async reschedule(task, delayMs) {
      await boss.update(QUEUE, undefined, { id: scheduled.get(task), startAfter: new Date(Date.now() + delayMs) });
    },
    bulks: {
      'one call': async (tasks) =>
        void (await boss.insert(
          QUEUE,
          tasks.map((task) => ({ data: data(task), ...once(task) })),
        )),
    },
    brokenBulks: {
      /** The 51st has an id that is none. */
      async 'one call'(tasks): Promise<BrokenBulk> {
        const jobs = tasks.map((task, i) => ({ data: data(task), ...once(task, 3_600_000), ...(i === 50 ? { id: 'nobody' } : {}) }));
        const told = await boss.insert(QUEUE, jobs).then(
          () => 'nothing',
          () => 'an error',
        );
        return { kept: await count("singleton_key like 'broken-%'"), told };
      },
    },
    /** It tells of no single completion: the table is asked, once all have started. */
    async completed(wanted) {
      await until(`${wanted} completions`, async () => worker.started >= wanted && (await count("state = 'completed'")) >= wanted);
      return now();
    },
    async stop() {
      await worker.stop();
      await boss.stop({ graceful: false });
      await pool.end();
      await postgres.stop();
    },
  };
}

import { EventEmitter } from 'node:events';
import { peer, versionsOf } from './peer-library.ts';
import { startPostgres } from './servers.ts';
import { type BrokenBulk, FILLER, type RunWorker, type System } from './system.ts';
import { startWorkerProcess } from './worker-process.ts';

const TASK = 'bench';
const POOL = 20;

type Payload = { task: string; filler: string };
type Spec = { jobKey: string; runAt?: Date };
type WorkerUtils = {
  migrate(): Promise<void>;
  addJob(identifier: string, payload: Payload, spec: Spec): Promise<unknown>;
  addJobs(jobs: (Spec & { identifier: string; payload: Payload })[]): Promise<unknown>;
  release(): Promise<void>;
};
type Graphile = {
  Logger: new (factory: () => (level: string, message: string) => void) => object;
  run(options: object): Promise<{ stop(): Promise<void> }>;
  makeWorkerUtils(options: object): Promise<WorkerUtils>;
};
type Pool = {
  query(text: string): Promise<{ rows: { count: number }[] }>;
  on(event: string, heard: () => void): void;
  end(): Promise<void>;
};
type Pg = { Pool: new (options: object) => Pool };

const quiet = () => new (peer<Graphile>('graphile-worker').Logger)(() => () => {});

/** Its documented settings for throughput; `pollInterval` is 100 ms instead of 2 s, for it finds due jobs by looking. */
const WORKER = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
  pollInterval: 100,
};

export const runWorker: RunWorker = async ({ url }, hooks) => {
  const events = new EventEmitter();
  events.on('job:complete', () => hooks.completed(1)); // told when it is written
  const runner = await peer<Graphile>('graphile-worker').run({
    preset: { worker: { connectionString: url, ...WORKER, logger: quiet() } },
    events,
    noHandleSignals: true,
    taskList: { [TASK]: async ({ task }: Payload) => hooks.started(task) },
  });
  return () => runner.stop();
};

/** A finished job's row is gone, so a key is known only while its job is pending. */
export async function startGraphileWorker(): Promise<System> {
  const postgres = await startPostgres();
  const pool = new (peer<Pg>('pg').Pool)({ connectionString: postgres.url, max: POOL });
  pool.on('error', () => {});
  const client = await peer<Graphile>('graphile-worker').makeWorkerUtils({ pgPool: pool, logger: quiet() });
  await client.migrate();
  const worker = await startWorkerProcess('graphile-worker', { url: postgres.url });
  const payload = (task: string): Payload => ({ task, filler: FILLER });
  const spec = (task: string, delayMs?: number): Spec => ({
    jobKey: task,
    ...(delayMs === undefined ? {} : { runAt: new Date(Date.now() + delayMs) }),
  });
  const jobs = (tasks: string[], delayMs?: number) =>
    tasks.map((task) => ({ identifier: TASK, payload: payload(task), ...spec(task, delayMs) }));
  const add = async (task: string, delayMs?: number) => void (await client.addJob(TASK, payload(task), spec(task, delayMs)));
  return {
    about: {
      ...versionsOf('graphile-worker', 'pg'),
      pool: POOL,
      duplicates: 'jobKey, while pending',
      concurrentJobs: WORKER.concurrentJobs,
    },
    worker,
    pids: { postgres: postgres.pid, worker: worker.pid },
    register: async () => {},
    trigger: (task) => add(task),
    schedule: add,
    reschedule: add,
    bulks: { 'one call': async (tasks) => void (await client.addJobs(jobs(tasks))) },
    brokenBulks: {
      /** The 51st has a key that is too long. */
      async 'one call'(tasks): Promise<BrokenBulk> {
        const broken = jobs(tasks, 3_600_000).map((job, i) => (i === 50 ? { ...job, jobKey: 'k'.repeat(600) } : job));
        const told = await client.addJobs(broken).then(
          () => 'nothing',
          () => 'an error',
        );
        const { rows } = await pool.query("select count(*)::int count from graphile_worker.jobs where key like 'broken-%'");
        return { kept: rows[0]?.count ?? 0, told };
      },
    },
    completed: (count) => worker.completed(count),
    async stop() {
      await worker.stop();
      await client.release();
      await pool.end();
      await postgres.stop();
    },
  };
}

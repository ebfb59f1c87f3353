import { peer, versionsOf } from './peer-library.ts';
import { type Fsync, startRedis } from './servers.ts';
import { type BrokenBulk, CONCURRENCY, FILLER, type RunWorker, type System } from './system.ts';
import { startWorkerProcess } from './worker-process.ts';

const QUEUE = 'bench';

type Job = { name: string; data: { task: string; filler: string }; opts: { [option: string]: unknown } };
type Queue = {
  add(name: string, data: Job['data'], opts: Job['opts']): Promise<unknown>;
  addBulk(jobs: Job[]): Promise<unknown>;
  getJob(id: string): Promise<{ changeDelay(delayMs: number): Promise<void> } | undefined>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
};
type Worker = { on(event: 'completed', heard: () => void): void; waitUntilReady(): Promise<unknown>; close(): Promise<void> };
type BullMq = {
  Queue: new (name: string, options: object) => Queue;
  Worker: new (name: string, run: (job: Job) => Promise<void>, options: object) => Worker;
};

const connection = (port: number) => ({ connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null } });

export async function openQueue(port: number): Promise<Queue> {
  const queue = new (peer<BullMq>('bullmq').Queue)(QUEUE, connection(port));
  await queue.waitUntilReady();
  return queue;
}

/** A job whose id is the idempotency key. It is kept for an hour: a key is known only as long as its job. */
export const jobOf = (task: string, delayMs?: number): Job => ({
  name: 'run',
  data: { task, filler: FILLER },
  opts: { jobId: task, removeOnComplete: { age: 3_600 }, ...(delayMs === undefined ? {} : { delay: delayMs }) },
});

export const runWorker: RunWorker = async ({ port }, hooks) => {
  const { Worker } = peer<BullMq>('bullmq');
  const worker = new Worker(QUEUE, async ({ data }) => hooks.started(data.task), { ...connection(Number(port)), concurrency: CONCURRENCY });
  worker.on('completed', () => hooks.completed(1)); // told when Redis has answered
  await worker.waitUntilReady();
  return () => worker.close();
};

export const aboutBullMq = (appendfsync: Fsync) => ({
  ...versionsOf('bullmq', 'ioredis'),
  appendfsync,
  duplicates: 'jobId, kept 1 h after completion',
  concurrency: CONCURRENCY,
});

/** BullMQ as a library in the caller's own process. */
export async function startBullMq(appendfsync: Fsync): Promise<System> {
  const redis = await startRedis(appendfsync);
  const queue = await openQueue(redis.port);
  const worker = await startWorkerProcess('bullmq', { port: String(redis.port) });
  const addAll = async (tasks: string[]) => void (await queue.addBulk(tasks.map((task) => jobOf(task))));
  const add = ({ name, data, opts }: Job) => queue.add(name, data, opts);
  return {
    about: aboutBullMq(appendfsync),
    worker,
    pids: { redis: redis.pid, worker: worker.pid },
    register: async () => {},
    trigger: async (task) => void (await add(jobOf(task))),
    schedule: async (task, delayMs) => void (await add(jobOf(task, delayMs))),
    reschedule: (task, delayMs) => changeDelay(queue, task, delayMs),
    bulks: { 'one call': addAll },
    brokenBulks: { 'one call': (tasks) => brokenBulk(queue, tasks) },
    completed: (count) => worker.completed(count),
    async stop() {
      await worker.stop();
      await queue.close();
      await redis.stop();
    },
  };
}

export async function changeDelay(queue: Queue, task: string, delayMs: number): Promise<void> {
  const job = await queue.getJob(task);
  if (job === undefined) throw new Error(`no job ${task}`);
  await job.changeDelay(delayMs);
}

/** The 51st names a parent that does not exist, so that its script fails on the server. */
async function brokenBulk(queue: Queue, tasks: string[]): Promise<BrokenBulk> {
  const jobs = tasks.map((task) => jobOf(task, 3_600_000));
  Object.assign(jobs[50]?.opts ?? {}, { parent: { id: 'nobody', queue: `bull:${QUEUE}` } });
  const told = await queue.addBulk(jobs).then(
    () => 'nothing',
    () => 'an error',
  );
  const kept = await Promise.all(tasks.map((task) => queue.getJob(task)));
  return { kept: kept.filter((job) => job !== undefined && job !== null).length, told };
}

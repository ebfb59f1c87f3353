import { join } from 'node:path';
import { startSubject } from '../subject.ts';
import { aboutBullMq } from './bullmq.ts';
import { PEERS } from './peer-library.ts';
import { type Fsync, startRedis } from './servers.ts';
import type { System } from './system.ts';
import { startWorkerProcess } from './worker-process.ts';

const CONNECTIONS = 64;

/** BullMQ as a service: a Hono route of its own process in front of it. */
export async function startBullMqBehindHono(appendfsync: Fsync): Promise<System> {
  const redis = await startRedis(appendfsync);
  const environment = { REDIS_PORT: String(redis.port), BENCH_PEERS: PEERS };
  const route = await startSubject(join(import.meta.dirname, 'bullmq-route.ts'), CONNECTIONS, environment);
  const worker = await startWorkerProcess('bullmq', { port: String(redis.port) });
  async function call(method: string, path: string, body: object, headers: { [name: string]: string } = {}): Promise<void> {
    const { status, text } = await route.send(method, path, JSON.stringify(body), headers);
    if (status >= 300) throw new Error(`${status}: ${text}`);
  }
  return {
    about: { ...aboutBullMq(appendfsync), route: 'Hono, bodies validated, one process' },
    worker,
    pids: { redis: redis.pid, route: route.pid, worker: worker.pid },
    register: async () => {},
    trigger: (task) => call('POST', `/tasks/${task}/trigger`, { triggerReason: 'bench' }, { 'idempotency-key': task }),
    schedule: (task, delayMs) => call('POST', `/tasks/${task}/schedule`, { delayMs }),
    reschedule: (task, delayMs) => call('PUT', `/tasks/${task}/reschedule`, { delayMs }),
    bulks: { 'one call': (tasks) => call('POST', '/bulk', { tasks: tasks.map((taskId) => ({ taskId })) }) },
    brokenBulks: {}, // as in process
    completed: (count) => worker.completed(count),
    async stop() {
      await worker.stop();
      await route.stop();
      await redis.stop();
    },
  };
}

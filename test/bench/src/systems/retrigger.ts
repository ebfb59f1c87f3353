import { createExecutor } from '@retrigger/client/executor.ts';
import { closedLoop } from '../load.ts';
import { STANDALONE, type Subject, startSubject } from '../subject.ts';
import { countingClient } from './counting-client.ts';
import { type BrokenBulk, CONCURRENCY, FILLER, type RunWorker, type System } from './system.ts';
import { startWorkerProcess } from './worker-process.ts';

const CONNECTIONS = 64;
const TYPE = 'bench';

/** The executor of shared/client, claiming over HTTP. A completion is recorded when the report of it was answered. */
export const runWorker: RunWorker = async ({ url = '', type = TYPE }, hooks) => {
  const client = countingClient(url, hooks);
  const executor = createExecutor({
    client,
    types: [type],
    concurrency: CONCURRENCY,
    run: async ({ taskId }) => hooks.started(taskId),
  });
  return () => executor.stop();
};

/** The embedded profile as its users have it: over HTTP, every decision audited, limits off. */
export async function startRetrigger(): Promise<System> {
  const subject = await startSubject(STANDALONE, CONNECTIONS);
  const worker = await startWorkerProcess('retrigger', { url: subject.url });
  return {
    ...overHttp(subject),
    pids: { server: subject.pid, worker: worker.pid },
    worker,
    completed: (count) => worker.completed(count),
    stop: () => worker.stop().then(subject.stop),
  };
}

/** The calls that the works make, at whatever serves our API, for tasks of one type. */
export function overHttp(subject: Subject, type = TYPE): Omit<System, 'worker' | 'pids' | 'completed' | 'stop'> {
  async function call(status: number, method: string, path: string, body: object, headers: { [name: string]: string } = {}): Promise<void> {
    const reply = await subject.send(method, `/api/v1/tasks${path}`, JSON.stringify(body), { prefer: 'wait=60', ...headers });
    if (reply.status !== status || reply.text.includes('"state":"pending"'))
      throw new Error(`${reply.status}: ${reply.text.slice(0, 500)}`);
  }
  const reschedule = (task: string, delayMs: number) =>
    call(200, 'PUT', `/${task}/reschedule`, { strategy: 'delayed', delay: `${delayMs}ms` });
  const bulk = (allOrNothing: boolean) => (tasks: string[]) =>
    call(200, 'POST', '/bulk/trigger', { tasks: tasks.map((taskId) => ({ taskId })), allOrNothing });
  const brokenBulk =
    (allOrNothing: boolean) =>
    async (tasks: string[]): Promise<BrokenBulk> => {
      await call(200, 'POST', `/${tasks[50]}/cancel`, {}); // what is cancelled can't be triggered
      const body = { tasks: tasks.map((taskId) => ({ taskId })), allOrNothing };
      const { status, text } = await subject.post('/api/v1/tasks/bulk/trigger', JSON.stringify(body), { prefer: 'wait=60' });
      const events = await Promise.all(tasks.map((task) => subject.get(`/api/v1/tasks/${task}/events?types=TaskTriggered`)));
      const kept = events.filter((page) => page.includes('"eventType":"TaskTriggered"')).length;
      const code = allOrNothing ? /"code":"transaction_aborted"/ : /"code":"invalid_state"/;
      return { kept, told: `${status} ${code.exec(text)?.[0] ?? 'nothing'}` };
    };
  return {
    about: { profile: 'embedded, over HTTP', duplicates: 'Idempotency-Key, 24 h', concurrency: CONCURRENCY },
    async register(name, count) {
      await closedLoop(count, CONNECTIONS, (i) => call(201, 'POST', '', { taskId: `${name}-${i}`, type, context: { filler: FILLER } }));
    },
    trigger: (task) => call(202, 'POST', `/${task}/trigger`, { triggerReason: 'bench' }, { 'idempotency-key': task }),
    schedule: reschedule,
    reschedule,
    bulks: { 'best effort': bulk(false), 'all or nothing': bulk(true) },
    brokenBulks: { 'best effort': brokenBulk(false), 'all or nothing': brokenBulk(true) },
  };
}

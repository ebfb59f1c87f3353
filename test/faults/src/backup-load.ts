import type { Client, Reply } from './client.ts';

/** A call that was answered, and when (epoch ms). */
export type Answered = { method: string; path: string; body: object; key: string; reply: Reply; at: number };

const CALLERS = 12;

export type Load = {
  answered: Answered[];
  /** No call begins after this; resolves when the last has ended. */
  stop(): Promise<void>;
};

/** Uses the service in every way that a backup must keep, until stopped: targets, claims, timers, bulks. Who dies meanwhile is not heard of. */
export function startLoad(client: Client, targetUrl: string): Load {
  const answered: Answered[] = [];
  let isStopped = false;
  const call = async (method: string, path: string, body: object, key: string): Promise<boolean> => {
    const reply = await client.send(method, path, body, key).catch(() => undefined);
    if (reply !== undefined) answered.push({ method, path, body, key, reply, at: Date.now() });
    return reply !== undefined;
  };
  const create = (taskId: string, rest: object) => call('POST', '/api/v1/tasks', { taskId, type: 'job', ...rest }, `create-${taskId}`);
  const trigger = (taskId: string) => call('POST', `/api/v1/tasks/${taskId}/trigger`, { triggerReason: 'under load' }, `trigger-${taskId}`);
  const target = { url: targetUrl };
  const round = async (name: string): Promise<boolean> =>
    (await create(`${name}-called`, { target })) &&
    (await trigger(`${name}-called`)) &&
    (await create(`${name}-claimed`, {})) &&
    (await trigger(`${name}-claimed`)) &&
    (await create(`${name}-timer`, { target, schedule: { strategy: 'delayed', delay: '1s' } })) &&
    (await create(`${name}-bulk`, { target })) &&
    (await call(
      'POST',
      '/api/v1/tasks/bulk/trigger',
      { tasks: [{ taskId: `${name}-bulk` }, { taskId: 'shared' }], allOrNothing: true },
      `bulk-${name}`,
    ));
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = 0; !isStopped && (await round(`c${caller}-${i}`)); i++);
  });
  return {
    answered,
    async stop() {
      isStopped = true;
      await Promise.all(callers);
    },
  };
}

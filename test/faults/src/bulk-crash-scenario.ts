import type { Event } from '@retrigger/domain/event.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { expect } from 'vitest';
import type { Client, Reply } from './client.ts';
import { type Mortal, untilItDies } from './crash-scenario.ts';

const TASKS = 16;
const ALL = Array.from({ length: TASKS }, (_, i) => `t${i}`);

/** Overlapping bulks, most of all or nothing, over tasks that single calls want too. */
const BULKS: [key: string, tasks: string[], allOrNothing: boolean][] = [
  ['first', ALL.slice(0, 10), true],
  ['second', ALL.slice(6), true],
  ['backwards', [...ALL].reverse(), true],
  ['middle', ALL.slice(4, 12), true],
  ['best-effort', ALL.slice(2, 14), false],
];

type Told = { status: number; results: { taskId: string; accepted: boolean; executionId?: string; error?: { code: string } }[] };

const toldOf = ({ status, text }: Reply): Told => {
  const body = JSON.parse(text);
  return { status, results: body.results ?? body.data.results };
};

/** Until a door takes it: while nobody has taken over yet, what waits too long is shed (503). */
async function taken(ask: () => Promise<Reply>): Promise<Reply> {
  const replies: Reply[] = [];
  await eventually('it is taken', async () => replies[replies.push(await ask()) - 1]?.status !== 503, 120_000);
  return replies.at(-1) as Reply;
}

/** `begins` is told when the tasks are there. */
type BulkMortal = Omit<Mortal, 'target'> & { begins?(): void };

/** Each all or none, none of what was told is lost, nothing runs twice, nothing stays reserved. */
export async function liveThroughBulkCrash({ before, begins, died, restart }: BulkMortal, prepared: Client): Promise<void> {
  for (const taskId of ALL) {
    const { status } = await prepared.send('POST', '/api/v1/tasks', { taskId, type: 'job' }, `create-${taskId}`, { prefer: 'wait=30' });
    expect(status, `${taskId} is made before anybody dies`).toBe(201);
  }
  begins?.();
  const send = (client: Client, [key, tasks, allOrNothing]: (typeof BULKS)[number], wait: string) =>
    client.send('POST', '/api/v1/tasks/bulk/trigger', { tasks: tasks.map((taskId) => ({ taskId })), allOrNothing }, key, { prefer: wait });
  const trigger = (client: Client, taskId: string) => client.send('POST', `/api/v1/tasks/${taskId}/trigger`, {}, `single-${taskId}`);
  const first = new Map<string, Reply>();
  await Promise.all([
    ...BULKS.map(async (bulk) => {
      const reply = await send(before, bulk, 'wait=20').catch(() => undefined); // the caller of a dying process hears nothing
      if (reply !== undefined) first.set(bulk[0], reply);
    }),
    ...['t3', 't7', 't15'].map((taskId) => trigger(before, taskId).catch(() => undefined)),
  ]);
  await untilItDies(before, died);

  const after = await restart();
  const executions = new Map<string, string[]>();
  for (const bulk of BULKS) {
    const reply = await taken(() => send(after, bulk, 'wait=60'));
    const told = first.get(bulk[0]);
    if (told !== undefined && told.status !== 202 && told.status !== 503) expect(reply.text, 'the stored answer').toBe(told.text);
    const { status, results } = toldOf(reply);
    expect(results.map(({ taskId }) => taskId)).toEqual(bulk[1]);
    if (bulk[2])
      expect([bulk[0], status, new Set(results.map(({ accepted }) => accepted)).size]).toEqual([bulk[0], status === 200 ? 200 : 409, 1]);
    for (const { taskId, executionId } of results)
      if (executionId !== undefined) executions.set(taskId, [...(executions.get(taskId) ?? []), executionId]);
  }
  for (const taskId of ALL) {
    expect((await after.task(taskId)).reservation, taskId).toBeUndefined();
    const triggered = ((await after.events(taskId)) as Event[]).filter(({ eventType }) => eventType === 'TaskTriggered');
    const told = executions.get(taskId) ?? [];
    expect(triggered.length, 'nobody ends an execution, so there is one at most').toBeLessThanOrEqual(1);
    for (const executionId of told) expect(triggered.map(({ metadata }) => metadata.executionId)).toContain(executionId);
  }
}

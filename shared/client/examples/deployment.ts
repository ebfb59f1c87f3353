// A deployment that fails twice and is tried again with growing pauses, by the task's own policy.
import type { Client } from '../src/client.ts';
import { createExecutor } from '../src/executor.ts';
import { dataOf } from '../src/outcome.ts';
import { byHand, until } from './connect.ts';

/** Resolves with how the task ended and what was tried. `name` tells one run of the example from the next. */
export async function deployment(client: Client, name: string = crypto.randomUUID()) {
  const taskId = `deploy-${name}`;
  const type = `deployment-${name}`;

  // Attempts 2, 3 and 4 come 100 ms, 200 ms and 400 ms after the failure before them.
  const retry = { maxAttempts: 4, baseDelay: '100ms', maxDelay: '10s', jitter: 'none' } as const;
  dataOf(await client.createTask({ taskId, type, context: { version: '1.4.2' }, retry, deadline: '10m' }));

  const executor = createExecutor({
    client,
    types: [type],
    async run({ attempt, context, runId }) {
      // runId is the same in all attempts: the key under which whatever does the work recognises a repeat.
      if (attempt < 3) throw new Error(`the registry does not answer (run ${runId})`);
      return { deployed: context.version, attempt };
    },
  });

  dataOf(await client.trigger(taskId, { triggerReason: 'release 1.4.2' }, { idempotencyKey: `release-${name}` }));
  const task = await until(
    async () => dataOf(await client.task(taskId)),
    ({ status }) => status === 'Completed' || status === 'Failed',
  );
  await executor.stop();

  const { events } = dataOf(await client.events(taskId, { types: ['TaskFailed', 'TaskCompleted'] }));
  const story = events.map(({ eventType, metadata }) => `${eventType} at attempt ${metadata.attempt}`);
  return { status: task.status, result: task.lastExecution?.result, story };
}

if (import.meta.main) await byHand(deployment);

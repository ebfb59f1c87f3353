import { expect } from 'vitest';
import type { Client, Reply } from './client.ts';

const TWINS = 200;
const LONGEST_MS = 120_000;
/** What a 503 asks for. */
const RETRY_AFTER_MS = 1_000;

/**
 * Sends the same trigger from 200 callers at once, spread over the doors, while something dies. Whoever gets no decided answer asks again under the same key, as
 * the API tells to. `next` gives the door to ask again at.
 */
export async function twinsAgree(doors: Client[], next: () => Promise<Client>): Promise<void> {
  const [first] = doors;
  if (first === undefined) throw new Error('no door');
  const created = await first.send('POST', '/api/v1/tasks', { taskId: 'twins', type: 'job' }, 'create', { prefer: 'wait=60' });
  expect(created.status).toBe(201);
  const trigger = (door: Client) =>
    door.send('POST', '/api/v1/tasks/twins/trigger', { triggerReason: 'once' }, 'twins', { prefer: 'wait=20' }).catch(() => undefined);
  const isDecided = (reply: Reply | undefined): boolean =>
    reply !== undefined && reply.status !== 503 && !reply.text.includes('"state":"pending"');
  const answers = await Promise.all(
    Array.from({ length: TWINS }, async (_, i) => {
      let reply = await trigger(doors[i % doors.length] ?? first);
      for (const end = performance.now() + LONGEST_MS; !isDecided(reply) && performance.now() < end; ) {
        if (reply?.status === 503) await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
        reply = await trigger(await next());
      }
      return reply;
    }),
  );
  expect([...new Set(answers.map((answer) => answer?.status))]).toEqual([202]);
  expect(new Set(answers.map((answer) => answer?.text)).size, 'the same bytes').toBe(1);
  expect(new Set(answers.map((answer) => answer?.commandId)).size).toBe(1);
  const events = await (await next()).events('twins');
  expect(events.map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
  const { executionId } = JSON.parse(answers[0]?.text ?? '{}').data;
  expect(events[1]?.metadata.executionId).toBe(executionId);
}

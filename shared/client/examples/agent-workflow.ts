// An agent's plan in five steps. Each step starts when the one before has ended; the review decides which branch is taken; and when publishing fails, a
// sixth task takes back what was done. Nobody watches over it: the conditions do.
import type { Client } from '../src/client.ts';
import { createExecutor } from '../src/executor.ts';
import { dataOf } from '../src/outcome.ts';
import { Final } from '../src/run-execution.ts';
import type { Conditions, Execution, Json } from '../src/types.ts';
import { byHand, until } from './connect.ts';

export type Plan = { verdict: 'approved' | 'rejected'; publishingFails: boolean };

/** Resolves with the steps that ran, in their order, and how each task ended. */
export async function agentWorkflow(client: Client, plan: Plan, name: string = crypto.randomUUID()) {
  const id = (step: string) => `${step}-${name}`;
  const after = (step: string): Conditions => ({ outcome: { taskId: id(step), status: 'Completed' } });
  const verdictIs = (verdict: Plan['verdict']): Conditions => ({
    outcome: { taskId: id('review'), status: 'Completed', result: { path: '/verdict', equals: verdict } },
  });

  const waits: { [step: string]: Conditions | null } = {
    research: null,
    draft: after('research'),
    review: after('draft'),
    publish: verdictIs('approved'), // one branch …
    revise: verdictIs('rejected'), // … or the other
    rollback: { outcome: { taskId: id('publish'), status: 'Failed' } },
  };
  const type = id('agent');
  for (const [step, conditions] of Object.entries(waits)) {
    const schedule = conditions === null ? {} : { schedule: { strategy: 'conditional', conditions } as const };
    dataOf(await client.createTask({ taskId: id(step), type, context: { step }, ...schedule }));
  }

  const ran: string[] = [];
  const work: { [step: string]: () => Json } = {
    research: () => ({ sources: 3 }),
    draft: () => ({ words: 800 }),
    review: () => ({ verdict: plan.verdict }),
    revise: () => ({ words: 650 }),
    rollback: () => ({ withdrawn: true }),
    publish() {
      if (plan.publishingFails) throw new Final('the site refuses it'); // another attempt would fail too
      return { url: 'https://example.com/article' };
    },
  };
  const run = async ({ context }: Execution): Promise<Json | undefined> => {
    const step = String(context.step);
    ran.push(step);
    return work[step]?.();
  };
  const executor = createExecutor({ client, types: [type], run });

  dataOf(await client.trigger(id('research'), { triggerReason: 'a new article' }));
  const last = plan.verdict === 'rejected' ? 'revise' : plan.publishingFails ? 'rollback' : 'publish';
  await until(
    async () => dataOf(await client.task(id(last))),
    ({ status }) => status === 'Completed',
  );
  await executor.stop();

  const statuses: { [step: string]: string } = {};
  for (const step of Object.keys(waits)) statuses[step] = dataOf(await client.task(id(step))).status;
  return { ran, statuses };
}

if (import.meta.main) await byHand((client) => agentWorkflow(client, { verdict: 'approved', publishingFails: true }));

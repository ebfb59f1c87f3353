import { createClient } from '@retrigger/client/client.ts';
import { agentWorkflow } from '@retrigger/client/examples/agent-workflow.ts';
import { deployment } from '@retrigger/client/examples/deployment.ts';
import { KEY, PROFILES, type Running, start } from '@retrigger/test-acceptance/profile.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

describe.each(PROFILES)('the examples, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());
  const client = () => createClient({ url: running.url, key: KEY });

  test('a deployment is tried until it works', async () => {
    expect(await deployment(client())).toEqual({
      status: 'Completed',
      result: { deployed: '1.4.2', attempt: 3 },
      story: ['TaskFailed at attempt 1', 'TaskFailed at attempt 2', 'TaskCompleted at attempt 3'],
    });
  });

  test('an agent’s plan takes the branch that the review says', async () => {
    const { ran, statuses } = await agentWorkflow(client(), { verdict: 'rejected', publishingFails: false });
    expect(ran).toEqual(['research', 'draft', 'review', 'revise']);
    expect([statuses.publish, statuses.rollback]).toEqual(['Scheduled', 'Scheduled']);
  });

  test('an agent’s plan that fails at its end is rolled back', async () => {
    const { ran, statuses } = await agentWorkflow(client(), { verdict: 'approved', publishingFails: true });
    expect(ran).toEqual(['research', 'draft', 'review', 'publish', 'rollback']);
    expect([statuses.publish, statuses.revise, statuses.rollback]).toEqual(['Failed', 'Scheduled', 'Completed']);
  });
});

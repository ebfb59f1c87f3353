import { createClient } from '@retrigger/client/client.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import { KEY, PROFILES, type Running, start } from '@retrigger/test-acceptance/profile.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

describe.each(PROFILES)('a dry run by the client, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  test('tells what each call would come to, in its own type, and changes nothing', async () => {
    const client = createClient({ url: running.url, key: KEY });
    dataOf(await client.createTask({ taskId: 'tried', type: 'job' }));
    const how = { dryRun: true } as const;
    const tasks = [{ taskId: 'tried' }];
    const delayed = { strategy: 'delayed', delay: '5m' } as const;
    const executionId: string | undefined = dataOf(await client.trigger('tried', {}, how)).answer?.executionId;
    expect(executionId).toMatch(/^tried\./);
    expect(dataOf(await client.reschedule('tried', delayed, how))).toMatchObject({ verdict: 'accepted', answer: { delayApplied: '5m' } });
    expect(dataOf(await client.cancel('tried', {}, how)).events.map(({ eventType }) => eventType)).toEqual(['TaskCancelled']);
    expect(dataOf(await client.bulkTrigger({ tasks }, how))).toMatchObject({ verdict: 'accepted', answer: { accepted: 1 } });
    expect(dataOf(await client.bulkReschedule({ tasks, schedule: delayed }, how)).answer?.results).toMatchObject(tasks);
    expect(dataOf(await client.trigger('nobody', {}, how))).toMatchObject({ verdict: 'refused', problem: { code: 'task_not_found' } });
    expect(dataOf(await client.task('tried'))).toMatchObject({ status: 'Draft', version: 1 });
    expect(dataOf(await client.events('tried')).total).toBe(1);
    expect(dataOf(await client.trigger('tried', {}, {})).executionId).toMatch(/^tried\./);
  });
});

import { rescheduled } from '@retrigger/contract/task-schema.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { runOf, startTarget } from './target.ts';

const MINUTE_MS = 60_000;

describe.each(PROFILES)('schedules, %s', (profile) => {
  let running: Running;
  let target: Awaited<ReturnType<typeof startTarget>>;
  beforeAll(async () => {
    running = await start(profile);
    target = await startTarget(() => ({ status: 200, body: '{"done":true}' }));
  });
  afterAll(async () => {
    await running.stop();
    await target.stop();
  });

  /** A task that has failed so often. */
  const failed = async (name: string, times: number, more: object = {}) => {
    const taskId = own(name);
    await running.admin.create(taskId, { ...more });
    for (let i = 0; i < times; i++) await running.admin.run(taskId, { error: `broken ${i}` });
    return taskId;
  };
  const lastEvent = async (taskId: string) => (await running.admin.events(taskId, 'order=desc&pageSize=1'))[0];

  test('AC-06 a Failed task that is delayed by 5m is Scheduled, and its next execution is in exactly five minutes', async () => {
    const { admin } = running;
    const taskId = await failed('ac-06', 1);
    const before = Date.now();
    const answer = rescheduled.parse(await admin.rescheduled(taskId, { strategy: 'delayed', delay: '5m' }));
    expect(answer).toMatchObject({ taskId, strategy: 'delayed', previousSchedule: null, delayApplied: '5m' });
    expect(Math.abs(Date.parse(answer.nextExecution ?? '') - before - 5 * MINUTE_MS)).toBeLessThan(5_000);
    expect(await admin.task(taskId)).toMatchObject({ status: 'Scheduled', nextExecution: answer.nextExecution, retryCount: 0 });
    const event = await lastEvent(taskId);
    expect(Date.parse(answer.nextExecution ?? '') - Date.parse(event?.timestamp ?? '')).toBe(5 * MINUTE_MS);
  });

  test('AC-06 a delayed task really runs when its time has come, and not before', async () => {
    const { admin } = running;
    const taskId = own('ac-06-runs');
    await admin.create(taskId, { target: { url: target.url }, context: { of: 'task' } });
    await admin.trigger(taskId);
    await admin.becomes(taskId, 'Completed');
    const { nextExecution } = await admin.rescheduled(taskId, {
      strategy: 'delayed',
      delay: 1,
      unit: 'seconds',
      context: { of: 'schedule' },
    });
    await eventually('it was called again', async () => target.callsFor(taskId).length === 2);
    await admin.becomes(taskId, 'Completed');
    const call = target.callsFor(taskId)[1];
    expect(call?.at).toBeGreaterThanOrEqual(Date.parse(String(nextExecution)) - (profile === 'embedded' ? 0 : 1_000));
    expect(call && runOf(call).context).toEqual({ of: 'schedule' });
    const triggered = (await admin.events(taskId, 'types=TaskTriggered')).at(-1);
    expect(triggered).toMatchObject({ actor: { type: 'system' }, previousState: 'Scheduled', metadata: { scheduledFor: nextExecution } });
    expect((await admin.task(taskId)).schedule, 'a one-time schedule is used up').toBeUndefined();
  });

  test('AC-07 the back-off of a task that failed twice is base × 2², and the answer says how it came about', async () => {
    const { admin } = running;
    const taskId = await failed('ac-07', 2);
    expect((await admin.task(taskId)).retryCount).toBe(2);
    const answer = await admin.rescheduled(taskId, { strategy: 'exponential_backoff', baseDelay: '1m' });
    expect(answer).toMatchObject({
      delayApplied: '4m',
      calculationDetails: { base: '1m', retryCount: 2, factor: 4, uncapped: '4m', cap: '1d', capped: false, jitter: 'none' },
    });
    const event = await lastEvent(taskId);
    expect(Date.parse(String(answer.nextExecution)) - Date.parse(event?.timestamp ?? '')).toBe(4 * MINUTE_MS);
  });

  test.each([
    [{ maxDelay: '3m', currentRetryCount: 2 }, 3, 3],
    [{ currentRetryCount: 60 }, 1_440, 1_440],
    [{ jitter: 'full', currentRetryCount: 2 }, 0, 4],
    [{ jitter: 'equal', currentRetryCount: 2 }, 2, 4],
  ])('AC-07 the back-off of %j lies between %d and %d minutes', async (policy, least, most) => {
    const { admin } = running;
    const taskId = await failed(`ac-07-${JSON.stringify(policy).replaceAll(/[^a-z0-9]+/gi, '-')}`, 1);
    for (let i = 0; i < 8; i++) {
      const { nextExecution } = await admin.rescheduled(taskId, { strategy: 'exponential_backoff', baseDelay: '1m', ...policy });
      const delay = Date.parse(String(nextExecution)) - Date.parse((await lastEvent(taskId))?.timestamp ?? '');
      expect(delay).toBeGreaterThanOrEqual(least * MINUTE_MS);
      expect(delay).toBeLessThanOrEqual(most * MINUTE_MS);
    }
  });

  test('AC-09 a reschedule leaves earlier executions and events as they were, and adds its own', async () => {
    const { admin } = running;
    const taskId = await failed('ac-09', 2, { context: { a: 1 } });
    const [before, task] = [await admin.events(taskId), await admin.task(taskId)];
    await admin.rescheduled(taskId, { strategy: 'delayed', delay: '1h' });
    const after = await admin.events(taskId);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ eventType }) => eventType)).toEqual(['TaskRescheduled']);
    const now = await admin.task(taskId);
    expect(now).toMatchObject({ lastExecution: task.lastExecution, context: { a: 1 } });
    expect((await admin.data(`/tasks/${taskId}/events/verify`)).valid).toBe(true);
  });

  test('AC-10 TaskRescheduled carries the full new schedule and the previous one', async () => {
    const { admin } = running;
    const taskId = own('ac-10');
    await admin.create(taskId);
    const first = { strategy: 'cron', cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin' };
    const second = { strategy: 'exponential_backoff', baseDelay: '1m', maxDelay: '1h', jitter: 'equal', currentRetryCount: 1 };
    expect(await admin.rescheduled(taskId, first)).toMatchObject({ previousSchedule: null });
    const answer = await admin.rescheduled(taskId, { ...second, reason: 'it was flaky' });
    expect(answer.previousSchedule).toEqual(first);
    const [one, two] = await admin.events(taskId, 'types=TaskRescheduled');
    expect(one?.metadata).toMatchObject({ strategy: 'cron', schedule: first, previousSchedule: null });
    expect(two).toMatchObject({
      actor: { id: 'admin', type: 'user' },
      previousState: 'Scheduled',
      newState: 'Scheduled',
      metadata: {
        strategy: 'exponential_backoff',
        schedule: second,
        previousSchedule: first,
        nextExecution: answer.nextExecution,
        reason: 'it was flaky',
      },
    });
  });

  test('a Running task is rescheduled with force only; its execution is then stale, and its late report is in the history', async () => {
    const { admin } = running;
    const taskId = own('forced');
    await admin.create(taskId);
    const { executionId } = await admin.trigger(taskId);
    const refused = await admin.reschedule(taskId, { strategy: 'delayed', delay: '1h' });
    expect([refused.status, refused.json.code]).toEqual([409, 'task_already_running']);
    await admin.rescheduled(taskId, { strategy: 'delayed', delay: '1h', force: true });
    expect(await admin.task(taskId)).toMatchObject({
      status: 'Scheduled',
      lastExecution: { executionId, status: 'Cancelled', forced: true },
    });
    const late = await admin.post(`/executions/${executionId}/completed`, {});
    expect([late.status, late.json.code]).toEqual([409, 'stale_execution']);
    expect(await admin.types(taskId)).toEqual(['TaskCreated', 'TaskTriggered', 'CommandRefused', 'TaskRescheduled', 'CommandRefused']);
  });

  test('a recurring task goes from the end of a run straight to Scheduled and runs again at the next second, never twice at once', async () => {
    const { admin } = running;
    const taskId = own('recurring');
    await admin.create(taskId, { target: { url: target.url }, schedule: { strategy: 'cron', cron: '* * * * * *' } });
    await eventually('it has run three times', async () => target.callsFor(taskId).length >= 3);
    await admin.post(`/tasks/${taskId}/cancel`);
    const runs = (await admin.events(taskId, 'types=TaskTriggered,TaskCompleted')).map(({ eventType }) => eventType);
    for (const [i, type] of runs.entries()) expect(type).toBe(i % 2 === 0 ? 'TaskTriggered' : 'TaskCompleted');
    const due = (await admin.events(taskId, 'types=TaskTriggered')).map(({ metadata }) => Date.parse(String(metadata.scheduledFor)));
    expect(due.every((at) => at % 1_000 === 0)).toBe(true);
    expect(new Set(due).size).toBe(due.length);
  });
});

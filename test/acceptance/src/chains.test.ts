import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { runOf, startTarget } from './target.ts';

describe.each(PROFILES)('chains and branches, %s', (profile) => {
  let running: Running;
  let admin: Client;
  let target: Awaited<ReturnType<typeof startTarget>>;
  /** What the target answers for a task; 200 when nothing is said. */
  const answers = new Map<string, { status: number; body?: string }>();

  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    target = await startTarget((call) => answers.get(runOf(call).taskId) ?? { status: 200, body: '{}' });
  });
  afterAll(async () => {
    await running.stop();
    await target.stop();
  });

  /** Tasks of which each waits for the one before. */
  const chain = async (name: string, length: number): Promise<string[]> => {
    const steps: string[] = [];
    for (let i = 1; i <= length; i++) {
      const before = steps.at(-1);
      const taskId = own(`${name}-${i}`);
      await admin.create(taskId, {
        target: { url: target.url },
        ...(before === undefined
          ? {}
          : { dependencies: [before], schedule: { strategy: 'conditional', conditions: { dependenciesComplete: [before] } } }),
      });
      steps.push(taskId);
    }
    return steps;
  };
  const calledInOrder = (steps: string[]) => target.calls.map((call) => runOf(call).taskId).filter((taskId) => steps.includes(taskId));

  test('AC-25 five tasks in a chain run in order, each started by the end of the one before, after one trigger', async () => {
    const steps = await chain('ac-25', 5);
    await admin.trigger(steps[0] ?? '');
    await admin.becomes(steps[4] ?? '', 'Completed');
    expect(calledInOrder(steps)).toEqual(steps);
    const ended = await Promise.all(steps.map(async (taskId) => (await admin.events(taskId, 'types=TaskCompleted'))[0]?.timestamp ?? ''));
    const begun = await Promise.all(steps.map(async (taskId) => (await admin.events(taskId, 'types=TaskTriggered'))[0]?.timestamp ?? ''));
    for (const [i, end] of ended.slice(0, -1).entries()) expect((begun[i + 1] ?? '') >= end).toBe(true);
  });

  /** A task with branches on how it ends, and one that waits for nothing but its end. */
  const branches = async (name: string) => {
    const root = own(name);
    await admin.create(root, { target: { url: target.url } });
    const conditions = {
      good: { taskId: root, status: 'Completed', result: { path: '/verdict/colour', equals: 'green' } },
      other: { taskId: root, status: 'Completed', result: { path: '/verdict/colour', equals: 'red' } },
      failed: { taskId: root, status: 'Failed' },
    };
    for (const [branch, outcome] of Object.entries(conditions)) {
      const schedule = { strategy: 'conditional', conditions: { outcome } };
      await admin.create(`${root}-${branch}`, { target: { url: target.url }, schedule });
    }
    return root;
  };
  const statuses = (root: string) =>
    Promise.all(['good', 'other', 'failed'].map(async (branch) => (await admin.task(`${root}-${branch}`)).status));

  test('AC-26 the branch that fits the outcome and its result runs, the others do not', async () => {
    const root = await branches('ac-26-green');
    answers.set(root, { status: 200, body: '{"verdict":{"colour":"green"}}' });
    await admin.trigger(root);
    await admin.becomes(`${root}-good`, 'Completed');
    expect(await statuses(root)).toEqual(['Completed', 'Scheduled', 'Scheduled']);
    expect(calledInOrder([`${root}-other`, `${root}-failed`])).toEqual([]);
  });

  test('AC-26 a failure runs the branch for failures only; a repaired run then takes the other way', async () => {
    const root = await branches('ac-26-failed');
    answers.set(root, { status: 500, body: 'broken' });
    await admin.trigger(root);
    await admin.becomes(`${root}-failed`, 'Completed');
    expect(await statuses(root)).toEqual(['Scheduled', 'Scheduled', 'Completed']);
    answers.set(root, { status: 200, body: '{"verdict":{"colour":"red"}}' });
    await admin.trigger(root);
    await admin.becomes(`${root}-other`, 'Completed');
    expect(await statuses(root)).toEqual(['Scheduled', 'Completed', 'Completed']);
    expect(calledInOrder([`${root}-failed`])).toHaveLength(1);
  });

  test('AC-27 a chain that failed at step 3 is reset and rerun as a whole by one reschedule of step 1 with force and cascade', async () => {
    const steps = await chain('ac-27', 5);
    const [first = '', , third = '', , fifth = ''] = steps;
    answers.set(third, { status: 500, body: 'broken' });
    await admin.trigger(first);
    await admin.becomes(third, 'Failed');
    expect(calledInOrder(steps)).toEqual(steps.slice(0, 3));
    const before = await Promise.all(steps.map((taskId) => admin.events(taskId)));
    answers.delete(third);
    await admin.rescheduled(first, { strategy: 'immediate', force: true, cascade: true, reason: 'repaired' });
    await admin.becomes(fifth, 'Completed');
    expect(calledInOrder(steps).slice(3)).toEqual(steps);
    for (const [i, taskId] of steps.entries()) {
      const after = await admin.events(taskId);
      expect(after.slice(0, before[i]?.length)).toEqual(before[i]);
      const rerun = after.slice(before[i]?.length);
      expect(rerun.filter(({ eventType }) => eventType === 'TaskTriggered')).toHaveLength(1);
      expect(rerun[0]?.eventType).toBe('TaskRescheduled');
      const task = await admin.task(taskId);
      expect(task).toMatchObject({ status: 'Completed', retryCount: 0 });
      const oldRuns = (before[i] ?? []).flatMap(({ metadata: { runId } }) => (runId === undefined ? [] : [runId]));
      expect(oldRuns, 'nothing is left over from the first run').not.toContain((task.lastExecution as { runId: string }).runId);
    }
  });

  test('AC-27 what still runs is cancelled, its late report changes nothing, and the chain runs once', async () => {
    const steps = await chain('ac-27-running', 3);
    const [first = '', second = '', third = ''] = steps;
    answers.set(second, { status: 202 });
    await admin.trigger(first);
    await eventually('the second step has begun', async () => target.callsFor(second).length === 1);
    answers.delete(second);
    await admin.rescheduled(first, { strategy: 'immediate', force: true, cascade: true });
    await admin.becomes(third, 'Completed');
    const stale = target.callsFor(second)[0];
    const late = await admin.post(`/executions/${stale && runOf(stale).executionId}/completed`, {});
    expect([late.status, late.json.code]).toEqual([409, 'stale_execution']);
    expect(calledInOrder(steps)).toEqual([first, second, first, second, third]);
  });
});

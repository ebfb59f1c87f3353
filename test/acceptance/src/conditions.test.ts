import type { JsonObject } from '@retrigger/domain/json.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

const completed = (taskId: string) => ({ outcome: { taskId, status: 'Completed' } });

describe.each(PROFILES)('conditions and dependencies, %s', (profile) => {
  let running: Running;
  let admin: Client;
  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
  });
  afterAll(() => running.stop());

  const create = async (name: string, more: object = {}) => {
    const taskId = own(name);
    await admin.create(taskId, { ...more });
    return taskId;
  };

  test('AC-08 a task that depends on two and waits for one fires only once that one is Completed', async () => {
    const [first, second] = [await create('ac-08-task-1'), await create('ac-08-task-2')];
    const taskId = await create('ac-08', { dependencies: [first, second] });
    const witness = await create('ac-08-witness');
    const answer = await admin.rescheduled(taskId, { strategy: 'conditional', conditions: { dependenciesComplete: [first] } });
    expect(answer).toMatchObject({ strategy: 'conditional', nextExecution: null, delayApplied: null });
    await admin.rescheduled(witness, { strategy: 'conditional', conditions: completed(second) });
    await admin.run(second);
    await admin.run(first, { error: 'not this time' });
    await admin.becomes(witness, 'Running');
    expect((await admin.task(taskId)).status).toBe('Scheduled');
    await admin.run(first);
    await admin.becomes(taskId, 'Running');
    const triggered = (await admin.events(taskId, 'types=TaskTriggered'))[0];
    expect(triggered).toMatchObject({
      actor: { type: 'system' },
      metadata: { conditions: [{ taskId: first, required: 'Completed', actual: 'Completed', met: true }] },
    });
  });

  test('AC-08 what is true already satisfies it at once', async () => {
    const first = await create('ac-08-old');
    await admin.run(first);
    const taskId = await create('ac-08-late', { schedule: { strategy: 'conditional', conditions: completed(first) } });
    await admin.becomes(taskId, 'Running');
  });

  test('AC-16 a patch that closes A→B→C→A is 400 with the path, and changes nothing', async () => {
    const [a, b, c] = [await create('ac-16-a'), await create('ac-16-b'), await create('ac-16-c')];
    for (const [from, to] of [
      [a, b],
      [b, c],
    ] as const) {
      const { status, json } = await admin.patch(from, { dependencies: [to] });
      expect([status, json.data.dependencies, json.data.proposedDependencies]).toEqual([200, [to], undefined]);
    }
    const { status, json } = await admin.patch(c, { dependencies: [a], critical: true });
    expect([status, json.code, json.title]).toEqual([400, 'circular_dependency', 'Circular dependency detected']);
    expect(json.cycle).toEqual([c, a, b, c]);
    const task = await admin.task(c);
    expect([task.dependencies, task.critical, task.proposedDependencies]).toEqual([[], false, undefined]);
    expect((await admin.patch(c, { dependencies: [] })).status, 'the refused change is not in the way').toBe(200);
  });

  test('AC-16 the conditions of a trigger or a reschedule count as edges', async () => {
    const c = await create('ac-16-2c');
    const b = await create('ac-16-2b', { dependencies: [c] });
    const a = await create('ac-16-2a', { dependencies: [b] });
    for (const answer of [
      await admin.post(`/tasks/${c}/trigger`, { conditions: completed(a) }),
      await admin.reschedule(c, { strategy: 'conditional', conditions: { dependenciesComplete: [a] } }),
    ]) {
      expect([answer.status, answer.json.code, answer.json.title]).toEqual([400, 'circular_dependency', 'Circular dependency detected']);
      expect(answer.json.cycle).toEqual([c, a, b, c]);
    }
    expect(await admin.task(c)).toMatchObject({ status: 'Draft' });
  });

  test('AC-16 of two changes that close a cycle only together at most one is accepted, however they fall', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await create(`ac-16-race-a${round}`), await create(`ac-16-race-b${round}`)];
      const answers = await Promise.all([
        admin.patch(a, { dependencies: [b] }),
        round % 2 === 0
          ? admin.patch(b, { dependencies: [a] })
          : admin.reschedule(b, { strategy: 'conditional', conditions: { dependenciesComplete: [a] } }),
      ]);
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
      expect(statuses.every((status) => status === 200 || status === 400)).toBe(true);
    }
  });

  test('AC-16 a change in two steps is answered when its second step is decided, and a repeat gets the same bytes', async () => {
    const [first, taskId] = [await create('ac-16-dep'), await create('ac-16-two')];
    const key = { 'idempotency-key': 'two-steps' };
    const answer = await admin.patch(taskId, { dependencies: [first] }, key);
    expect([answer.status, answer.json.data.dependencies]).toEqual([200, [first]]);
    const again = await admin.patch(taskId, { dependencies: [first] }, key);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([200, answer.text, 'true']);
    const outcome = await admin.data(`/commands/${answer.headers.get('x-command-id')}`);
    expect(outcome).toMatchObject({ state: 'accepted', outcome: { status: 200, body: answer.json } });
  });

  test('AC-17 a conditional trigger with unmet dependencies is refused, naming each with required and actual state', async () => {
    const [done, failed, draft] = [await create('ac-17-done'), await create('ac-17-failed'), await create('ac-17-draft')];
    await admin.run(done);
    await admin.run(failed, { error: 'no' });
    const taskId = await create('ac-17', { dependencies: [done, failed, draft] });
    const { status, json } = await admin.post(`/tasks/${taskId}/trigger`, { conditions: { dependenciesComplete: true } });
    expect([status, json.code]).toEqual([409, 'conditions_unmet']);
    expect((json.conditions as { taskId: string }[]).toSorted((x, y) => (x.taskId < y.taskId ? -1 : 1))).toEqual([
      { taskId: done, required: 'Completed', actual: 'Completed', met: true },
      { taskId: draft, required: 'Completed', actual: 'Draft', met: false },
      { taskId: failed, required: 'Completed', actual: 'Failed', met: false },
    ]);
    expect(await admin.task(taskId)).toMatchObject({ status: 'Draft' });
    expect((await admin.events(taskId)).at(-1)).toMatchObject({ eventType: 'CommandRefused', metadata: { code: 'conditions_unmet' } });
    const enough = await admin.trigger(taskId, { conditions: { dependenciesCompleted: { min: 1 } } });
    expect((enough as unknown as { conditions: object[] }).conditions).toHaveLength(3);
  });

  test('AC-17 of many unmet dependencies the detail tells twenty, and conditions tells all', async () => {
    const dependencies = Array.from({ length: 25 }, (_, i) => own(`many-${String(i).padStart(2, '0')}`));
    for (const taskId of dependencies) await admin.create(taskId);
    await admin.create(own('of-many'), { dependencies });
    const { status, json } = await admin.post(`/tasks/${own('of-many')}/trigger`, { conditions: { dependenciesComplete: true } });
    expect([status, json.code]).toEqual([409, 'conditions_unmet']);
    expect((json.conditions as { taskId: string }[]).map(({ taskId }) => taskId).toSorted()).toEqual(dependencies);
    expect(String(json.detail).match(/ is Draft, not Completed/g)).toHaveLength(20);
    expect(json.detail).toMatch(/; and 5 more$/);
    const tasks = [{ taskId: own('of-many'), conditions: { dependenciesComplete: true } }];
    const { results } = (await admin.post('/tasks/bulk/trigger', { tasks })).json.data as { results: { error: JsonObject }[] };
    expect(results[0]?.error).toMatchObject({ code: 'conditions_unmet', detail: json.detail });
    expect(results[0]?.error.conditions, 'as many as the detail tells').toEqual((json.conditions as object[]).slice(0, 20));
  });

  test('AC-18 the check walks the whole closure: A→B→C with B Completed is met once C is', async () => {
    const c = await create('ac-18-c');
    const b = await create('ac-18-b', { dependencies: [c] });
    const a = await create('ac-18-a', { dependencies: [b] });
    await admin.run(b);
    const before = await admin.post(`/tasks/${a}/trigger`, { conditions: { dependenciesComplete: true } });
    expect([before.status, before.json.code]).toEqual([409, 'conditions_unmet']);
    expect(before.json.conditions).toContainEqual({ taskId: c, required: 'Completed', actual: 'Draft', met: false });
    await admin.rescheduled(a, { strategy: 'conditional', conditions: { dependenciesComplete: true } });
    await admin.run(c);
    await admin.becomes(a, 'Running');
    expect((await admin.events(a, 'types=TaskTriggered'))[0]?.metadata.conditions).toHaveLength(2);
  });
});

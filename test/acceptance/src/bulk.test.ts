import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';
import { runOf, startTarget } from './target.ts';

type Result = { taskId: string; accepted: boolean; executionId?: string; nextExecution?: string; error?: JsonObject & { code: string } };
type Bulk = { results: Result[]; accepted: number; refused: number };

describe.each(PROFILES)('bulks, %s', (profile) => {
  let running: Running;
  let admin: Client;
  let target: Awaited<ReturnType<typeof startTarget>>;
  beforeAll(async () => {
    running = await start(profile);
    admin = running.admin;
    target = await startTarget(() => ({ status: 202 }));
  });
  afterAll(async () => {
    await running.stop();
    await target.stop();
  });

  const create = async (name: string, count: number, more: JsonObject = {}): Promise<string[]> => {
    const taskIds = Array.from({ length: count }, (_, i) => own(`${name}-${i}`));
    await Promise.all(taskIds.map((taskId) => admin.create(taskId, more)));
    return taskIds;
  };
  const items = (taskIds: string[]) => taskIds.map((taskId) => ({ taskId }));
  const trigger = (body: JsonObject, headers: { [name: string]: string } = {}, query = '') =>
    admin.post(`/tasks/bulk/trigger${query}`, body, { prefer: 'wait=30', ...headers });
  const reschedule = (body: JsonObject, query = '') =>
    admin.call('PUT', `/api/v1/tasks/bulk/reschedule${query}`, body, { prefer: 'wait=30' });
  const bulkOf = ({ status, json, text }: Answer): Bulk => {
    if (status !== 200) throw new Error(text);
    return json.data as unknown as Bulk;
  };
  const calledFor = (taskIds: string[]) => target.calls.map((call) => runOf(call).taskId).filter((id) => taskIds.includes(id));

  test('AC-19 of ten of which two can’t, eight are accepted and two refused with the reasons that single calls have', async () => {
    const taskIds = await create('ac-19', 10, { target: { url: target.url } });
    const [busy, cancelled] = [taskIds[3] ?? '', taskIds[7] ?? ''];
    await admin.trigger(busy);
    await admin.post(`/tasks/${cancelled}/cancel`);
    const bulk = bulkOf(await trigger({ tasks: items(taskIds), triggerReason: 'all at once', context: { by: 'bulk' } }));
    expect([bulk.accepted, bulk.refused, bulk.results.map(({ taskId }) => taskId)]).toEqual([8, 2, taskIds]);
    const single = [await admin.post(`/tasks/${busy}/trigger`), await admin.post(`/tasks/${cancelled}/trigger`)];
    expect(bulk.results.flatMap(({ taskId, error }) => (error === undefined ? [] : [[taskId, error]]))).toEqual(
      [busy, cancelled].map((taskId, i) => {
        const { code, title, detail } = (single[i] as Answer).json;
        return [taskId, { code, title, detail }];
      }),
    );
    for (const { taskId, accepted, executionId } of bulk.results) {
      if (!accepted) continue;
      const { execution } = (await admin.task(taskId)) as unknown as { execution: { executionId: string; context: JsonObject } };
      expect(execution).toMatchObject({ executionId, context: { by: 'bulk' } });
      expect((await admin.events(taskId, 'types=TaskTriggered'))[0]?.metadata).toMatchObject({ triggerReason: 'all at once' });
    }
    await eventually('every execution is called', async () => new Set(calledFor(taskIds)).size === 9);
  });

  test('AC-20 when one fails its check nothing is triggered, no executor sees one, and the answer says why', async () => {
    const taskIds = await create('ac-20', 10, { target: { url: target.url } });
    const bad = taskIds[4] ?? '';
    await admin.run(bad, { result: 1 });
    const before = calledFor(taskIds).length;
    const { status, json } = await trigger({ tasks: items(taskIds), allOrNothing: true });
    expect([status, json.code, json.title]).toEqual([409, 'transaction_aborted', 'Transaction aborted']);
    expect(json.detail).toContain(bad);
    const results = json.results as unknown as Result[];
    expect(results.map(({ taskId, accepted, error }) => [taskId, accepted, error?.code])).toEqual(
      taskIds.map((taskId) => [taskId, false, taskId === bad ? 'invalid_state' : 'transaction_aborted']),
    );
    for (const taskId of taskIds) {
      const task = await admin.task(taskId);
      expect([taskId, task.status, task.reservation]).toEqual([taskId, taskId === bad ? 'Completed' : 'Draft', undefined]);
    }
    const others = taskIds.filter((taskId) => taskId !== bad);
    expect((await Promise.all(others.map((taskId) => admin.events(taskId, 'types=TaskTriggered')))).flat()).toEqual([]);
    const after = bulkOf(await trigger({ tasks: items(others), allOrNothing: true }));
    expect(after).toMatchObject({ accepted: 9, refused: 0 });
    await eventually('only what was accepted is called', async () => calledFor(others).length >= 9);
    expect(calledFor(taskIds)).toHaveLength(before + 9);
  });

  test('whoever reads after an accepted bulk of all or nothing sees all of it', async () => {
    const taskIds = await create('all-seen', 120);
    const bulk = bulkOf(await trigger({ tasks: items(taskIds), allOrNothing: true }));
    const tasks = await Promise.all(taskIds.map((taskId) => admin.task(taskId)));
    expect(tasks.map(({ status }) => status)).toEqual(taskIds.map(() => 'Running'));
    expect(tasks.map(({ execution }) => (execution as JsonObject).executionId)).toEqual(bulk.results.map(({ executionId }) => executionId));
    expect((await admin.types(taskIds[0] ?? '')).slice(1)).toEqual(['TaskReserved', 'TaskTriggered']);
  });

  test('overlapping bulks of all or nothing: each all or none, and at least one is accepted', async () => {
    for (let round = 0; round < 5; round++) {
      const taskIds = await create(`overlap-${round}`, 12);
      const parts = [taskIds.slice(0, 8), taskIds.slice(4), [...taskIds].reverse(), taskIds.slice(2, 10)];
      const answers = await Promise.all(parts.map((part) => trigger({ tasks: items(part), allOrNothing: true })));
      const accepted = answers.filter(({ status }) => status === 200);
      expect(accepted.length).toBeGreaterThan(0);
      for (const { status, json } of answers)
        expect([200, 409]).toContain(status === 409 ? (json.code === 'transaction_aborted' ? 409 : 0) : status);
      const started = new Map(accepted.flatMap((answer) => bulkOf(answer).results.map(({ taskId, executionId }) => [taskId, executionId])));
      for (const taskId of taskIds) {
        const triggered = await admin.events(taskId, 'types=TaskTriggered');
        expect(triggered.map(({ metadata }) => metadata.executionId)).toEqual(started.has(taskId) ? [started.get(taskId)] : []);
      }
    }
  });

  test('a reserved task shows by which bulk, and its history tells', async () => {
    const taskIds = await create('reserved', 300);
    const first = taskIds[0] ?? '';
    const going = trigger({ tasks: items(taskIds), allOrNothing: true }, { 'idempotency-key': own('reserved') });
    let seen: JsonObject | undefined;
    await eventually(
      'the task is taken',
      async () => {
        const task = await admin.task(first);
        seen ??= task.reservation as JsonObject | undefined;
        return task.status === 'Running';
      },
      25_000,
    ); // the bulk itself is waited for 30 s
    expect((await going).status).toBe(200);
    const reserved = (await admin.events(first, 'types=TaskReserved'))[0];
    expect(reserved?.metadata).toMatchObject({ bulkId: expect.any(String) });
    if (seen !== undefined) expect(seen).toEqual({ bulkId: reserved?.metadata.bulkId });
  });

  test('a filter selects once; the tasks are named in the answer, and a repeat gets the same bytes', async () => {
    const type = own('kind');
    const taskIds = await create('filtered', 5, { type });
    const key = { 'idempotency-key': own('filtered') };
    const first = await trigger({ filter: { type, status: 'Draft' } }, key);
    expect(bulkOf(first).results.map(({ taskId }) => taskId)).toEqual([...taskIds].sort());
    await create('filtered-later', 2, { type });
    const again = await trigger({ filter: { type, status: 'Draft' } }, key);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([200, first.text, 'true']);
    const other = await trigger({ filter: { type } }, key);
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
    expect(bulkOf(await trigger({ filter: { type, taskIds: [taskIds[0] ?? ''] } }))).toMatchObject({ accepted: 0, refused: 1 });
    expect(bulkOf(await trigger({ filter: { type: own('no-such-kind') } }))).toEqual({ results: [], accepted: 0, refused: 0 });
  });

  test('a bulk reschedule takes a common schedule and each task’s own, in both modes', async () => {
    for (const allOrNothing of [false, true]) {
      const taskIds = await create(`reschedule-${allOrNothing}`, 3);
      const [a, b, c] = taskIds.map((taskId) => ({ taskId }));
      const body = {
        tasks: [a, { ...b, schedule: { strategy: 'delayed', delay: '2h' } }, c],
        schedule: { strategy: 'delayed', delay: '1h' },
      };
      const sentAt = Date.now();
      const bulk = bulkOf(await reschedule({ ...body, allOrNothing } as unknown as JsonObject));
      expect(bulk).toMatchObject({ accepted: 3, refused: 0 });
      const hours = bulk.results.map(({ nextExecution }) => Math.round((Date.parse(nextExecution ?? '') - sentAt) / 3_600_000));
      expect(hours).toEqual([1, 2, 1]);
      for (const [i, taskId] of taskIds.entries()) expect((await admin.task(taskId)).nextExecution).toBe(bulk.results[i]?.nextExecution);
    }
  });

  test.each([false, true])(
    'an item whose conditions name a task of the same bulk waits for it (allOrNothing: %s)',
    async (allOrNothing) => {
      const [first = '', second = ''] = await create(`in-bulk-${allOrNothing}`, 2);
      const tasks = [{ taskId: second, conditions: { outcome: { taskId: first, status: 'Completed' } } }, { taskId: first }];
      const bulk = bulkOf(await trigger({ tasks, allOrNothing }));
      expect(bulk.results).toEqual([
        { taskId: second, accepted: true },
        { taskId: first, accepted: true, executionId: expect.any(String) },
      ]);
      expect(await admin.task(second)).toMatchObject({ status: 'Scheduled' });
      await admin.post(`/executions/${bulk.results[1]?.executionId}/completed`, {});
      await admin.becomes(second, 'Running');
    },
  );

  test.each([false, true])(
    'what it says about a sensitive task is sealed for that task, and shown to its readers (allOrNothing: %s)',
    async (allOrNothing) => {
      const [plain = ''] = await create(`open-${allOrNothing}`, 1);
      const [secret = ''] = await create(`sealed-${allOrNothing}`, 1, { sensitive: true });
      const body = { tasks: [{ taskId: plain }, { taskId: secret }], context: { patient: 'x' }, triggerReason: 'y', allOrNothing };
      expect(bulkOf(await trigger(body))).toMatchObject({ accepted: 2 });
      for (const taskId of [plain, secret]) {
        expect((await admin.task(taskId)).execution).toMatchObject({ context: { patient: 'x' } });
        const [triggered] = (await admin.events(taskId, 'types=TaskTriggered')) as (JsonObject & {
          metadata: JsonObject;
          sealed?: JsonObject;
        })[];
        expect(triggered?.metadata).toMatchObject({ context: { patient: 'x' }, triggerReason: 'y' });
        expect(Object.keys(triggered?.sealed ?? {}).includes('/metadata/context')).toBe(taskId === secret);
      }
      expect((await admin.data(`/tasks/${secret}/events/verify`)).valid).toBe(true);
    },
  );

  test('a dry run tells what would come of each task, and changes nothing', async () => {
    const taskIds = await create('dry', 3);
    await admin.trigger(taskIds[1] ?? '');
    const best = (await trigger({ tasks: items(taskIds) }, {}, '?dryRun=true')).json.data as JsonObject;
    expect(best).toMatchObject({ verdict: 'accepted', answer: { accepted: 2, refused: 1 } });
    const all = (await trigger({ tasks: items(taskIds), allOrNothing: true }, {}, '?dryRun=true')).json.data as JsonObject;
    expect(all).toMatchObject({ verdict: 'refused', problem: { status: 409, code: 'transaction_aborted' } });
    expect((all.problem as { results?: unknown[] }).results).toHaveLength(3);
    expect(await admin.types(taskIds[0] ?? '')).toEqual(['TaskCreated']);
  });

  test('respond-async tells where the outcome will be, and that is the answer', async () => {
    const taskIds = await create('async', 30);
    const first = await trigger({ tasks: items(taskIds), allOrNothing: true }, { prefer: 'respond-async' });
    expect([first.status, (first.json.data as JsonObject).state]).toEqual([202, 'pending']);
    const at = (first.headers.get('location') ?? '').replace('/api/v1', '');
    await eventually('the bulk is decided', async () => (await admin.data(at)).state === 'accepted');
    expect((await admin.data(at)).outcome).toMatchObject({ status: 200, body: { data: { accepted: 30, refused: 0 } } });
  });

  test('the tasks of a bulk are no tasks of their own: no list shows one, no path leads to it', async () => {
    const taskIds = await create('hidden', 2);
    const answer = await trigger({ tasks: items(taskIds) });
    expect(answer.status).toBe(200);
    const { tasks } = await admin.data<{ tasks: { taskId: string }[] }>('/tasks?pageSize=1000');
    expect(tasks.filter(({ taskId }) => taskId.startsWith('bulk'))).toEqual([]);
    expect((await admin.call('GET', '/api/v1/tasks/bulk')).status).toBe(400);
  });
});

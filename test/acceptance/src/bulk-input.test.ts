import type { JsonObject } from '@retrigger/domain/json.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROFILES, type Running, start } from './profile.ts';

describe.each(PROFILES)('bad input of bulks, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  const many = Array.from({ length: 1_001 }, (_, i) => ({ taskId: `t-${i}` }));
  test.each([
    ['an empty list', 'trigger', { tasks: [] }, 'tasks'],
    ['more than 1,000', 'trigger', { tasks: many }, 'tasks'],
    ['a task twice', 'trigger', { tasks: [{ taskId: 'a' }, { taskId: 'a' }] }, 'tasks[1].taskId'],
    ['neither tasks nor filter', 'trigger', {}, 'tasks'],
    ['both', 'trigger', { tasks: [{ taskId: 'a' }], filter: { type: 'x' } }, 'filter'],
    ['an empty filter', 'trigger', { filter: {} }, 'filter'],
    ['an unknown status', 'trigger', { filter: { status: 'Lost' } }, 'filter.status'],
    ['an unknown field of an item', 'trigger', { tasks: [{ taskId: 'a', force: true }] }, 'tasks[0].force'],
    [
      'conditions on an unknown task',
      'trigger',
      { tasks: [{ taskId: 'a', conditions: { dependenciesComplete: ['b'] } }] },
      'tasks[0].conditions.dependenciesComplete[0]',
    ],
    ['no schedule', 'reschedule', { tasks: [{ taskId: 'a' }] }, 'tasks[0].schedule'],
    ['no schedule for a filter', 'reschedule', { filter: { type: 'x' } }, 'schedule'],
    [
      'a past schedule',
      'reschedule',
      { tasks: [{ taskId: 'a', schedule: { strategy: 'at', at: '2020-01-01T00:00:00Z' } }] },
      'tasks[0].schedule.at',
    ],
  ])('%s is 400 and names the field', async (_, call, body, path) => {
    const { status, json } = await running.admin.call(
      call === 'trigger' ? 'POST' : 'PUT',
      `/api/v1/tasks/bulk/${call}`,
      body as JsonObject,
    );
    expect([status, json.code]).toEqual([400, 'invalid_request']);
    expect((json.errors as unknown as { path: string }[]).map((error) => error.path)).toContain(path);
  });
});

import type { BulkCommandBody } from '@retrigger/domain/bulk/commands.ts';
import type { Command } from '@retrigger/domain/command.ts';
import { bulkName, deriveBulkId } from '@retrigger/domain/identifiers.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor } from './door.ts';

const LIMITS = { userPerHour: 10, taskPerHour: 2, systemPerMinute: 0, tenantPerMinute: 0 };
const TRIGGER = '/api/v1/tasks/bulk/trigger';
const RESCHEDULE = '/api/v1/tasks/bulk/reschedule';
const items = (...taskIds: string[]) => taskIds.map((taskId) => ({ taskId }));

describe('the door for bulks', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor({ deps: { limitsFor: () => LIMITS } });
    for (const taskId of ['a', 'b', 'c']) door.seed('default', taskId, ['TaskCreated']);
  });

  const put = (body: object) => door.ask(RESCHEDULE, { method: 'PUT', body });
  const sent = (): Command & BulkCommandBody => door.commands.at(-1) as Command & BulkCommandBody;
  const used = (key: string) => door.limiter.used.get(key) ?? 0;
  /** Of whoever has called: users have tokens behind the door. */
  const usedByUsers = () =>
    [...door.limiter.used].filter(([key]) => key.startsWith('user:default/')).reduce((sum, [, one]) => sum + one, 0);

  test('hands the bulk in as one command, whose name is derived from its id', async () => {
    const { status, headers } = await door.post(TRIGGER, { tasks: items('a', 'b'), triggerReason: 'r', allOrNothing: true });
    const commandId = headers.get('x-command-id') ?? '';
    expect([status, door.commands.length]).toEqual([200, 1]);
    expect(sent()).toMatchObject({
      ...{ commandId, type: 'BulkTrigger', taskId: bulkName(deriveBulkId(commandId)) },
      body: { tasks: items('a', 'b'), triggerReason: 'r', allOrNothing: true },
    });
  });

  test('charges the user for every task and each task for itself; more than is left is refused whole and costs nothing', async () => {
    await door.post(TRIGGER, { tasks: items('a', 'b', 'c') });
    expect([usedByUsers(), used('task:default/a')]).toEqual([3, 1]);
    await door.post(TRIGGER, { tasks: items('a') });
    const { status, json } = await door.post(TRIGGER, { tasks: items('a', 'b') });
    expect([status, json.code, used('task:default/b'), usedByUsers()]).toEqual([429, 'rate_limited', 1, 4]);
    expect(door.commands).toHaveLength(2);
    const many = await door.post(TRIGGER, { tasks: items('b', 'c', 'd', 'e', 'f', 'g', 'h') });
    expect([many.status, many.json.detail, usedByUsers()]).toEqual([429, expect.stringContaining('"user" of 10 per 3600 s has 6 left'), 4]);
  });

  test('a reschedule is charged for the tasks that it makes run now', async () => {
    const later = { strategy: 'delayed', delay: '1h' };
    await put({ tasks: [{ taskId: 'a', schedule: { strategy: 'immediate' } }, { taskId: 'b' }], schedule: later });
    expect([usedByUsers(), used('task:default/a'), used('task:default/b')]).toEqual([1, 1, 0]);
  });

  test('a filter selects when the bulk is handed in, and never again for a repeat', async () => {
    const key = { 'idempotency-key': 'k' };
    const first = await door.post(TRIGGER, { filter: { type: 'job' } }, key);
    expect(sent().body).toEqual({ filter: { type: 'job' }, tasks: items('a', 'b', 'c') });
    door.seed('default', 'd', ['TaskCreated']);
    const again = await door.post(TRIGGER, { filter: { type: 'job' } }, key);
    expect([again.text, again.headers.get('idempotent-replayed'), door.commands.length]).toEqual([first.text, 'true', 1]);
    expect(usedByUsers()).toBe(3);
  });

  test('another tenant’s tasks are never selected', async () => {
    door.seed('other', 'x', ['TaskCreated']);
    await door.post(TRIGGER, { filter: { status: 'Draft' } });
    expect(sent().body).toMatchObject({ tasks: items('a', 'b', 'c') });
    await door.post(TRIGGER, { filter: { taskIds: ['x', 'a'] } });
    expect(sent().body).toMatchObject({ tasks: items('a') });
  });

  test('a filter that selects more than 1,000 is 400, is not handed in and costs nothing', async () => {
    for (let i = 0; i < 1_001; i++) door.seed('default', `many-${i}`, ['TaskCreated']);
    const { status, json } = await door.post(TRIGGER, { filter: { status: 'Draft' } });
    expect([status, json.code, json.errors[0].path]).toEqual([400, 'invalid_request', 'filter']);
    expect([door.commands.length, usedByUsers()]).toEqual([0, 0]);
  });

  test('who may not trigger is handed in for the worker to refuse, free of charge', async () => {
    const { status, json } = await door.ask(TRIGGER, { method: 'POST', as: 'viewer', body: { filter: { status: 'Draft' } } });
    expect([status, json.code, usedByUsers()]).toEqual([403, 'forbidden', 0]);
    expect((await door.ask(TRIGGER, { method: 'POST', as: 'executor', body: { tasks: items('a') } })).status).toBe(403);
  });

  test('a bulk that is under way shows how far it is, to nobody but its caller', async () => {
    door.worker = null;
    const { headers, json } = await door.ask(TRIGGER, {
      method: 'POST',
      body: { tasks: items('a', 'b') },
      headers: { prefer: 'respond-async' },
    });
    const { commandId } = json.data;
    const { tenantId, taskId } = sent();
    const parts = [
      { taskId: 'a', at: 'reserved' },
      { taskId: 'b', at: 'asked' },
    ];
    const caller = { actor: sent().actor };
    const state = { tenantId, bulkId: deriveBulkId(commandId), status: 'Asking', decision: null, parts, caller };
    door.snapshots.set(`${tenantId}/${taskId}`, { key: `${tenantId}/${taskId}`, state } as never);
    const place = headers.get('location') ?? '';
    expect((await door.ask(place)).json.data).toEqual({ commandId, state: 'pending', progress: { tasks: 2, heard: 1 } });
    expect((await door.ask(place, { as: 'viewer' })).json.data).toEqual({ commandId, state: 'pending' });
  });
});

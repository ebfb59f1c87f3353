import { isGranted, ROLES, type Role } from '@retrigger/domain/permissions.ts';
import { CONTRACT, pathOf } from '@retrigger/test-gateway/contract-calls.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.ts';
import { own } from './own.ts';
import { PROFILES, type Running, start } from './profile.ts';

/** The calls of the contract that need something. */
const CALLS = Object.keys(CONTRACT).filter((call) => CONTRACT[call]?.needs !== 'open');
/** Those that change one task. */
const CHANGES = CALLS.filter((call) => !call.startsWith('GET') && call.includes('{taskId}'));

/** What the paths of the contract name: its executions too. */
const TASK = 't';

describe.each(PROFILES)('roles, %s', (profile) => {
  let running: Running;
  const tenantId = own('roles');
  const keys = new Map<string, string>();
  const keyOf = (name: string): string => keys.get(name) ?? '';
  const client = (name: string) => new Client(running.url, keyOf(name));

  beforeAll(async () => {
    running = await start(profile);
    const people: [string, Role][] = [...ROLES.map((role): [string, Role] => [role, role]), ['owner', 'operator']];
    for (const [userId, role] of people) {
      const { json } = await running.admin.post('/api-keys', { tenantId, userId, roles: [role] });
      keys.set(userId, String(json.data.key));
    }
    await client('operator').create(TASK);
  });
  afterAll(() => running.stop());

  /** Only the status and, of a problem, its code: a stream’s body has no end. */
  async function ask(call: string, key: string, id: string): Promise<{ status: number; code?: string }> {
    const { body } = CONTRACT[call] ?? {};
    const response = await fetch(`${running.url}${pathOf(call, id)}`, {
      method: call.split(' ')[0] ?? '',
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status < 400) {
      await response.body?.cancel();
      return { status: response.status };
    }
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  }

  test.each(CALLS)('AC-04 %s is refused with 403 exactly where the role does not grant it', async (call) => {
    const needs = CONTRACT[call]?.needs ?? 'any';
    const expected = ROLES.map((role) => [
      role,
      needs === 'any' || (needs !== 'open' && isGranted([role], needs)) ? 'passes' : 'forbidden',
    ]);
    const found: string[][] = [];
    for (const role of ROLES) {
      const { status, code } = await ask(call, keyOf(role), TASK);
      expect([400, 401, 405, 413, 415, 500, 503]).not.toContain(status);
      found.push([role, status === 403 ? String(code) : 'passes']);
    }
    expect(found).toEqual(expected);
  });

  test.each(CHANGES)('AC-04 %s is for the task’s owner and admins, and a refusal is in the history', async (call) => {
    const taskId = own(`owned-${CHANGES.indexOf(call)}`);
    await client('owner').create(taskId);
    for (const stranger of ['operator', 'viewer', 'executor'])
      expect([stranger, await ask(call, keyOf(stranger), taskId)]).toEqual([stranger, { status: 403, code: 'forbidden' }]);
    const refusals = (await client('viewer').events(taskId)).slice(1).map(({ eventType, actor }) => [eventType, actor.id]);
    expect(refusals).toEqual([
      ['CommandRefused', 'operator'],
      ['CommandRefused', 'viewer'],
      ['CommandRefused', 'executor'],
    ]);
    expect((await client('viewer').task(taskId)).status).toBe('Draft');
    expect((await ask(call, keyOf('admin'), taskId)).status).toBeLessThan(300);
    const again = own(`again-${CHANGES.indexOf(call)}`);
    await client('owner').create(again);
    expect((await ask(call, keyOf('owner'), again)).status).toBeLessThan(300);
  });

  test.each([
    ['POST', 'trigger', {}],
    ['PUT', 'reschedule', { schedule: { strategy: 'delayed', delay: '5m' } }],
  ])('AC-04 a dry run says of %s /tasks/bulk/%s that the role does not grant it, as the call itself does', async (method, name, more) => {
    const path = `/api/v1/tasks/bulk/${name}`;
    for (const which of [{ tasks: [{ taskId: TASK }] }, { filter: { taskIds: [TASK] } }]) {
      const told = (await client('viewer').call(method, `${path}?dryRun=true`, { ...which, ...more })).json.data;
      expect(told).toMatchObject({ verdict: 'refused', problem: { status: 403, code: 'forbidden' }, events: [] });
      expect((await client('viewer').call(method, path, { ...which, ...more })).status).toBe(403);
    }
  });
});

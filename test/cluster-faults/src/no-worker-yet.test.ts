import type { JsonObject } from '@retrigger/domain/json.ts';
import { eventually } from '@retrigger/test-gateway/eventually.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Installation } from './installation.ts';

const TASKS = 20;

let installation: Installation;
beforeEach(async () => {
  installation = await Installation.fresh();
});
afterEach(() => installation.end());

test('what a gateway accepts before any worker has ever joined is done when the first one comes', async () => {
  const door = await installation.door();
  const create = (i: number) =>
    door.send('POST', '/api/v1/tasks', { taskId: `t${i}`, type: 'job' }, undefined, { prefer: 'respond-async' });
  const trigger = (i: number) => door.send('POST', `/api/v1/tasks/t${i}/trigger`, {}, undefined, { prefer: 'respond-async' });
  const pending: string[] = [];
  for (const call of [create, trigger]) {
    for (const { status, text, commandId } of await Promise.all(Array.from({ length: TASKS }, (_, i) => call(i)))) {
      expect([status, JSON.parse(text).data]).toEqual([202, { commandId, state: 'pending' }]);
      pending.push(commandId);
    }
  }
  const waiting = door.send('POST', '/api/v1/tasks/t0/cancel', {}, undefined, { prefer: 'wait=60' });
  await installation.startWorker().ready;
  for (const commandId of pending) {
    const command = () => door.data<JsonObject>(`/api/v1/commands/${commandId}?accepted=${new Date().toISOString()}`);
    await eventually(`${commandId} is decided`, async () => (await command()).state !== 'pending');
    expect(await command()).toMatchObject({ state: 'accepted' });
  }
  expect((await waiting).status).toBe(200);
  for (let i = 1; i < TASKS; i++)
    expect((await door.events(`t${i}`)).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { signed } from './signed-record.ts';
import { World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.startWorker();
  await world.openDoor();
  for (const taskId of ['a', 'b', 'c']) await world.http('POST', '/api/v1/tasks', { taskId, type: 'job' });
});
afterEach(() => world.end());

const tasks = ['a', 'b', 'nobody'].map((taskId) => ({ taskId }));
const publish = async (commandId: string, type: string, body: object, as = 'ann') => {
  await world.publish(signed({ commandId, type, body: body as never }, { as }));
  await world.decided();
  return world.command(commandId, as);
};

test('a bulk that is published, under its tenant’s key, has the outcome of the same call', async () => {
  const { state, outcome } = await publish('best', 'BulkTrigger', { tasks });
  expect([state, outcome?.status]).toEqual(['accepted', 200]);
  expect(outcome?.body).toMatchObject({ data: { accepted: 2, refused: 1 } });
  const all = await publish('all', 'BulkReschedule', {
    filter: { type: 'job' },
    schedule: { strategy: 'delayed', delay: '1h' },
    allOrNothing: true,
  });
  expect([all.state, all.outcome?.status, all.outcome?.body.code]).toEqual(['refused', 409, 'transaction_aborted']);
  expect(world.reasons()).toEqual([]);
});

test('the same id again changes nothing; what is wrong with it, or not permitted, is its outcome', async () => {
  await publish('once', 'BulkTrigger', { tasks: [{ taskId: 'a' }] });
  await publish('once', 'BulkTrigger', { tasks: [{ taskId: 'a' }] });
  expect((await world.history('acme/a')).map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskTriggered']);
  const wrong = await publish('wrong', 'BulkTrigger', { tasks: [] });
  expect([wrong.outcome?.status, wrong.outcome?.body.code]).toEqual([400, 'invalid_request']);
  const viewer = await publish('viewer', 'BulkTrigger', { tasks: [{ taskId: 'b' }] }, 'vera');
  expect([viewer.outcome?.status, viewer.outcome?.body.code]).toEqual([403, 'forbidden']);
});

import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const TASKS = ['one', 'two'];

/** Two tasks that run and that nobody has yet. */
const waiting = (): Sent[] =>
  TASKS.flatMap((taskId) => [
    command(`create-${taskId}`, taskId, { type: 'CreateTask', body: { type: 'job' } }),
    command(`trigger-${taskId}`, taskId, { type: 'TriggerTask', body: {} }),
  ]);
/** A try of the wish `claim` on one task. */
const claimed = (claim: string, taskId: string): Sent =>
  command(`${claim}-on-${taskId}`, taskId, { type: 'ClaimExecution', body: { claim } });

const STARTED = ['TaskCreated', 'TaskTriggered', 'TaskStarted'];
const NOT_STARTED = ['TaskCreated', 'TaskTriggered'];

async function withTwoTasks() {
  const stores = new FakeStores();
  const owner = new Owner(stores);
  await owner.take(inLog(waiting()));
  owner.answers.length = 0;
  const types = () => TASKS.map((taskId) => stores.types(`acme/${taskId}`));
  return { stores, owner, types };
}

describe('what was claimed under a name is all that is ever claimed under it (B8)', () => {
  test('in one batch', async () => {
    const { owner, types } = await withTwoTasks();
    await owner.take(inLog([claimed('wish', 'one'), claimed('wish', 'two')], 4));
    expect(types()).toEqual([STARTED, NOT_STARTED]);
    expect(owner.answers.map(({ outcome }) => outcome)).toMatchObject([{ answer: { taskId: 'one' } }, { answer: { taskId: 'one' } }]);
  });

  test('in a later one, and after a restart', async () => {
    const { owner, types } = await withTwoTasks();
    await owner.take(inLog([claimed('wish', 'one')], 4));
    owner.restart();
    await owner.take(inLog([claimed('wish', 'two')], 5));
    expect(types()).toEqual([STARTED, NOT_STARTED]);
    expect(owner.answers.at(-1)?.outcome).toMatchObject({ answer: { taskId: 'one' } });
  });

  test('a try that comes again gets its own answer again; the receipt is kept under both names', async () => {
    const { stores, owner, types } = await withTwoTasks();
    await owner.take(inLog([claimed('wish', 'one')], 4));
    owner.restart();
    await owner.take(inLog([claimed('wish', 'one')], 5));
    expect(types()).toEqual([STARTED, NOT_STARTED]);
    expect(owner.answers.map(({ outcome }) => JSON.stringify(outcome))).toEqual(Array(2).fill(expect.stringContaining('"one')));
    expect(new Set(owner.answers.map(({ outcome }) => JSON.stringify(outcome))).size).toBe(1);
    expect(['wish', 'wish-on-one'].map((id) => stores.receipts.get(id)?.sequence)).toEqual([3, 3]);
  });

  test('another wish gets what is left, and then nothing; what it was refused binds only that try', async () => {
    const { stores, owner, types } = await withTwoTasks();
    await owner.take(inLog([claimed('first', 'one'), claimed('second', 'one'), claimed('second', 'two'), claimed('third', 'two')], 4));
    expect(types()).toEqual([STARTED, STARTED]);
    expect(owner.answers.map(({ outcome }) => outcome.kind)).toEqual(['accepted', 'refused', 'accepted', 'refused']);
    expect(stores.receipts.get('second')?.outcome).toMatchObject({ kind: 'accepted', answer: { taskId: 'two' } });
    expect(stores.receipts.has('third')).toBe(false);
  });
});

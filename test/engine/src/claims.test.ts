import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
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

/** It dies when it has stored its events and so many of their receipts, until it is healed: then it begins with nothing in memory. */
function dyingIn(stores: FakeStores, done: number) {
  let isIll = true;
  const owner = new Owner(stores);
  const { write } = owner.ports.decisions;
  owner.ports.decisions.write = async (decided) => {
    if (!isIll) return write(decided);
    await write({ ...decided, receipts: decided.receipts.slice(0, done), snapshots: [] });
    throw new Error('it dies');
  };
  const heal = () => {
    owner.restart();
    isIll = false;
  };
  return { owner, heal };
}

describe('whoever dies between the event and the receipts of a claim', () => {
  test.each([0, 1])(
    'after %i of its two receipts, is made good by redelivery: the wish is kept before anybody is told (B10)',
    async (done) => {
      const { stores, types } = await withTwoTasks();
      const { owner, heal } = dyingIn(stores, done);
      await expect(owner.take(inLog([claimed('wish', 'one')], 4))).rejects.toThrow('it dies');
      expect(types()).toEqual([STARTED, NOT_STARTED]);
      expect(stores.receipts.has('wish')).toBe(false);
      heal();
      await owner.take(inLog([claimed('wish', 'one')], 4));
      expect(owner.answers).toHaveLength(1);
      expect(['wish', 'wish-on-one'].map((id) => stores.receipts.get(id)?.sequence)).toEqual([3, 3]);
      await owner.take(inLog([claimed('wish', 'two')], 5));
      expect(types()).toEqual([STARTED, NOT_STARTED]);
      expect(owner.answers.at(-1)?.outcome).toMatchObject({ answer: { taskId: 'one' } });
    },
  );

  test('and is overtaken by another try of the wish: what that one keeps stays, for everybody who comes later', async () => {
    const { stores, types } = await withTwoTasks();
    const { owner, heal } = dyingIn(stores, 0);
    await expect(owner.take(inLog([claimed('wish', 'one')], 4))).rejects.toThrow('it dies');
    const other = new Owner(stores);
    await other.take(inLog([claimed('wish', 'two')], 4)); // on a partition of its own
    expect(types()).toEqual([STARTED, STARTED]);
    heal();
    const later = command('later', 'one', { type: 'ClaimExecution', body: { claim: 'wish' } });
    await owner.take(inLog([claimed('wish', 'one'), later], 4));
    expect(stores.receipts.get('wish')?.outcome).toMatchObject({ answer: { taskId: 'two' } });
    expect(owner.answers.at(-1)).toMatchObject({ commandId: 'later', outcome: { answer: { taskId: 'two' } } });
  });
});

test('a try is told of what another of its batch was given only when that is stored (B9)', async () => {
  const { stores, types } = await withTwoTasks();
  const owner = new Owner(stores);
  const { append } = owner.ports.events;
  const rival = new Owner(stores);
  let isFirst = true;
  // Another owner has gone on: what the wish was to be given is another's by now.
  owner.ports.decisions = writeInSteps(
    {
      ...owner.ports.events,
      async append(events) {
        if (isFirst) await rival.take(inLog([claimed('rival', 'one')], 4));
        isFirst = false;
        return append(events);
      },
    },
    owner.ports.receipts,
    owner.ports.snapshots,
    unobserved,
  );
  await owner.take(inLog([claimed('wish', 'one'), claimed('wish', 'two')], 5));
  expect(types()).toEqual([STARTED, STARTED]);
  expect(owner.answers.map(({ outcome }) => outcome)).toMatchObject([
    { kind: 'refused', refusal: { code: 'stale_execution' } },
    { answer: { taskId: 'two' } },
  ]);
  expect(stores.receipts.get('rival')?.outcome).toMatchObject({ answer: { taskId: 'one' } });
  expect(stores.receipts.get('wish')?.outcome).toMatchObject({ answer: { taskId: 'two' } });
});

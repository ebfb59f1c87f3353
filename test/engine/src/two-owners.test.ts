import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { violations } from '@retrigger/test-history/checkers.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { settled } from './manual-clock.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const create = (id: string, taskId = 'deploy') => command(id, taskId, { type: 'CreateTask', body: { type: 'job' } });
const trigger = (id: string, taskId = 'deploy') => command(id, taskId, { type: 'TriggerTask', body: {} });
const cancel = (id: string) => command(id, 'deploy', { type: 'CancelTask', body: {} });

/** An owner that stops at the first call of this name until it is woken; then it goes on, or finds that it has died. */
function pausedAt(stores: FakeStores, at: string) {
  let wake: () => void = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let isOpen = true;
  const owner = new Owner(stores, async (call) => {
    if (call !== at || !isOpen) return;
    isOpen = false;
    await woken;
  });
  return { owner, wake };
}

/** What the store holds is a sound history, whoever made which part of it. */
function expectSound(stores: FakeStores): void {
  const streams = new Map([...stores.streams].map(([key, stream]) => [key, stream.map(({ event }) => event)]));
  const states = new Map([...stores.snapshots].map(([key, { state }]) => [key, state]));
  expect(violations({ streams, states, acknowledged: [], calls: [] })).toEqual([]);
}

function snapshotOf(stores: FakeStores, key: string): Snapshot {
  const snapshot = stores.snapshots.get(key);
  if (snapshot === undefined) throw new Error(`${key} has no snapshot`);
  return snapshot;
}

const stateOf = (stores: FakeStores, key: string) => snapshotOf(stores, key).state as TaskState;

const CALLS = ['load snapshots', 'read', 'load receipts', 'append', 'put', 'save', `emit ${TOPICS.events}`];

describe('an old owner that goes on after a new one has worked', () => {
  const first = [create('c1'), trigger('c2'), trigger('c2'), trigger('c3'), cancel('c4')];
  const later = [
    cancel('c5'),
    command('c6', 'deploy', { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '5m' } } }),
  ];

  test.each(CALLS)('paused at "%s" adds nothing, tells the same and ends in the same state', async (at) => {
    const stores = new FakeStores();
    const { owner: old, wake } = pausedAt(stores, at);
    const going = old.take(inLog(first));
    await settled();
    const next = new Owner(stores);
    await next.take(inLog(first));
    await next.take(inLog(later, first.length));
    const after = stores.types('acme/deploy');
    wake();
    await going;
    expect(stores.types('acme/deploy')).toEqual(after);
    expect(after).toEqual(['TaskCreated', 'TaskTriggered', 'CommandRefused', 'TaskCancelled', 'CommandRefused', 'TaskRescheduled']);
    expectSound(stores);
    const outcomes = (owner: Owner) => owner.answers.slice(0, first.length).map(({ commandId, outcome }) => [commandId, outcome]);
    expect(outcomes(old)).toEqual(outcomes(next));
    await old.take(inLog(later, first.length));
    expect(stores.types('acme/deploy')).toEqual(after);
  });

  test('knows a twin whose first outcome was stored while it was reading (Y1)', async () => {
    const stores = new FakeStores();
    const { owner: old, wake } = pausedAt(stores, 'load snapshots');
    const records = inLog([create('c1'), create('c1')]);
    const going = old.take(records);
    await settled();
    await new Owner(stores).take(records);
    wake();
    await going;
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated']);
  });

  test('decides nothing on a state that is older than its receipts (Y2)', async () => {
    const stores = new FakeStores();
    const { owner: old, wake } = pausedAt(stores, 'load receipts');
    const records = inLog([create('c1'), trigger('c2')]);
    const going = old.take(records);
    await settled();
    await new Owner(stores).take(records.slice(0, 1));
    wake();
    await going;
    expect(old.answers.map(({ outcome }) => outcome.kind)).toEqual(['accepted', 'accepted']);
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered']);
  });

  test('with a cache that is behind meets the new one’s events, and follows', async () => {
    const stores = new FakeStores();
    const [old, next] = [new Owner(stores), new Owner(stores)];
    await old.take(inLog([create('c1')]));
    await next.take(inLog([trigger('c2')], 1));
    await old.take(inLog([trigger('c2'), trigger('c3')], 1));
    await next.take(inLog([trigger('c3'), cancel('c4')], 2));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered', 'CommandRefused', 'TaskCancelled']);
    expectSound(stores);
  });
});

describe('an old owner whose decision rested on what was true before', () => {
  const wait = command('c3', 'deploy', {
    type: 'RescheduleTask',
    body: { schedule: { strategy: 'conditional', conditions: { outcome: { taskId: 'build', status: 'Completed' } } } },
  });

  /** `deploy` waits for `build`, which has completed; the Check is on its way. The old owner stops with it, and `build` is triggered again. */
  async function paused(at: string) {
    const stores = new FakeStores();
    const { owner: old, wake } = pausedAt(stores, at);
    const next = new Owner(stores);
    const created = command('c2', 'deploy', { type: 'CreateTask', body: { type: 'job', dependencies: ['build'] } });
    await next.take(inLog([create('c1', 'build'), created]));
    await next.take(inLog([trigger('c4', 'build'), wait], 2));
    await next.take(inLog(next.followUps(), 4));
    const execution = stateOf(stores, 'acme/build').execution?.executionId ?? '';
    await next.take(inLog([command('c5', 'build', { type: 'CompleteExecution', body: { executionId: execution } })], 5));
    const check = next.followUps().findLast(({ type, taskId }) => type === 'Check' && taskId === 'deploy') as Sent;
    return { stores, old, wake, next, check };
  }

  /** What became of `deploy`; a first step to wait may come before it waits. */
  const steps = (stores: FakeStores) => stores.types('acme/deploy').filter((type) => type !== 'DependenciesProposed');

  test('takes effect, or finds that the new owner has gone on', async () => {
    const { stores, old, wake, next, check } = await paused('append');
    const going = old.take(inLog([check], 6));
    await settled();
    await next.take(
      inLog([command('c6', 'build', { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '1h' } } })], 7),
    );
    await next.take(inLog([check], 6));
    await next.take(inLog([cancel('c7')], 8));
    wake();
    await going;
    expect(steps(stores)).toEqual(['TaskCreated', 'TaskRescheduled', 'TaskCancelled']);
    expectSound(stores);
  });

  test.each(['save', `emit ${TOPICS.events}`])('and that died at "%s": the new owner tells what it has stored', async (at) => {
    const { stores, old, next, check } = await paused(at);
    await next.take(
      inLog([command('c6', 'build', { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '1h' } } })], 7),
    );
    await next.take(inLog([check], 6));
    expect(steps(stores)).toEqual(['TaskCreated', 'TaskRescheduled']);
    const now = snapshotOf(stores, 'acme/build');
    stores.snapshots.set('acme/build', { ...now, state: completedBuild(stores) });
    void old.take(inLog([check], 6));
    await settled();
    expect(steps(stores)).toEqual(['TaskCreated', 'TaskRescheduled', 'TaskTriggered']);
    await next.take(inLog([cancel('c7')], 8));
    expect(steps(stores)).toEqual(['TaskCreated', 'TaskRescheduled', 'TaskTriggered', 'TaskCancelled']);
    const told = next.appended.filter(({ topic, record }) => topic === TOPICS.events && record.key === 'acme/deploy');
    expect(told.map(({ record }) => record.headers.eventType).filter((type) => type !== 'DependenciesProposed')).toEqual([
      'TaskCreated',
      'TaskRescheduled',
      'TaskTriggered',
      'TaskCancelled',
    ]);
  });

  /** As the old owner read it, before it stopped. */
  function completedBuild(stores: FakeStores): TaskState {
    const events = stores.stream('acme/build').map(({ event }) => event);
    return events
      .slice(0, events.findIndex(({ eventType }) => eventType === 'TaskCompleted') + 1)
      .reduce<TaskState | undefined>((state, event) => taskDecider.evolve(state, event as never), undefined) as TaskState;
  }
});

import type { Command } from '@retrigger/domain/command.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { AnyDecider } from '@retrigger/engine/aggregate.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const create = (taskId: string) => command(`create-${taskId}`, taskId, { type: 'CreateTask', body: { type: 'job' } });
const trigger = (id: string, taskId: string, reason: string) =>
  command(id, taskId, { type: 'TriggerTask', body: { triggerReason: reason } });
const cancel = (taskId: string) => command(`cancel-${taskId}`, taskId, { type: 'CancelTask', body: {} });

/** One of whose functions throws for a command, or its event, that says `broken`. */
function failingIn(where: 'decide' | 'evolve' | 'answer' | 'react'): AnyDecider {
  const failing =
    <A extends unknown[], R>(run: (...args: A) => R) =>
    (...args: A): R => {
      if (args.some((value) => JSON.stringify(value)?.includes('broken'))) throw new Error(`${where} fails`);
      return run(...args);
    };
  const decider = taskDecider as AnyDecider;
  return { ...decider, [where]: failing(decider[where] as (...args: unknown[]) => unknown) };
}

const deadLetters = (owner: Owner) => owner.appended.filter(({ topic }) => topic === TOPICS.deadLetters).map(({ record }) => record);

describe('a record that can’t be decided', () => {
  test.each(['decide', 'evolve', 'answer', 'react'] as const)(
    'because %s fails goes to the dead letters; the others of its task and of its batch are decided (B7)',
    async (where) => {
      const stores = new FakeStores();
      const owner = new Owner(stores);
      owner.ports.decider = failingIn(where);
      const records = inLog([create('a'), create('b'), trigger('t1', 'a', 'broken'), cancel('a'), trigger('t2', 'b', 'fine')]);
      await owner.take(records);
      expect(stores.types('acme/a')).toEqual(['TaskCreated', 'TaskCancelled']);
      expect(stores.types('acme/b')).toEqual(['TaskCreated', 'TaskTriggered']);
      expect(owner.committed).toEqual([5]);
      const [dead, ...more] = deadLetters(owner);
      expect(more).toEqual([]);
      expect(dead).toMatchObject({ key: 'acme/a', headers: { reason: `could not be decided: ${where} fails`, 'source-offset': '2' } });
      expect(dead?.value).toEqual(records[2]?.value);
    },
  );

  test('because half a character has no canonical form is one', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    const half = { ...trigger('t1', 'a', ''), body: { triggerReason: '\ud800' } } as Sent;
    await owner.take(inLog([create('a'), half, trigger('t2', 'a', 'fine')]));
    expect(stores.types('acme/a')).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(stores.stream('acme/a')[1]?.event.commandId).toBe('t2');
    expect(deadLetters(owner)).toHaveLength(1);
  });

  test('because its event would be larger than a topic takes is one; a little less is told', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    const large = (id: string, characters: number) => trigger(id, 'a', 'é'.repeat(characters / 2));
    await owner.take(inLog([create('a'), large('t1', 4_200_000), large('t2', 4_100_000), cancel('a')]));
    expect(stores.stream('acme/a').map(({ event }) => event.commandId)).toEqual(['create-a', 't2', 'cancel-a']);
    expect(deadLetters(owner).map(({ headers }) => headers.reason)).toEqual([
      'could not be decided: its event would be larger than a topic takes (too large to be kept whole)',
    ]);
  });

  test('because a stored event is of a kind that nobody here knows leaves the stream as it is, and the partition goes on', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('a'), trigger('t1', 'a', 'fine')]));
    const later = stores.stream('acme/a')[1];
    if (later === undefined) throw new Error('no event');
    Object.assign(later.event, { eventType: 'TaskPromoted' });
    stores.snapshots.delete('acme/a');
    owner.restart();
    await owner.take(inLog([cancel('a'), create('b')], 2));
    expect(stores.types('acme/a')).toEqual(['TaskCreated', 'TaskPromoted']);
    expect(stores.types('acme/b')).toEqual(['TaskCreated']);
    expect(deadLetters(owner).map(({ headers }) => headers.reason)).toEqual([
      'could not be decided: TaskPromoted is an event that nobody here knows',
    ]);
  });
});

describe('a task that 2,500 wait for', () => {
  test('announces its end in parts that a broker takes (E4)', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('hub'), trigger('t1', 'hub', 'go')]));
    const hub = stores.snapshots.get('acme/hub');
    if (hub === undefined) throw new Error('no hub');
    for (let nth = 0; nth < 2_500; nth++)
      stores.snapshots.set(`acme/w${nth}`, { ...hub, key: `acme/w${nth}`, taskId: `w${nth}`, waitsFor: ['hub'] });
    const parts: number[] = [];
    const { append } = owner.ports.log;
    owner.ports.log.append = async (topic, records) => {
      if (topic === TOPICS.work) parts.push(records.length);
      await append(topic, records);
    };
    const executionId = String(stores.stream('acme/hub')[1]?.event.metadata.executionId);
    await owner.take(inLog([command('done', 'hub', { type: 'CompleteExecution', body: { executionId } })], 2));
    expect(parts).toEqual([1_000, 1_000, 500]);
    expect(new Set(owner.followUps().map(({ taskId }: Command) => taskId)).size).toBe(2_500);
  });
});

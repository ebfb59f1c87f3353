import type { Outcome } from '@retrigger/domain/refusal.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const create = (id: string, taskId = 'deploy') => command(id, taskId, { type: 'CreateTask', body: { type: 'job' } });
const trigger = (id: string, context = {}) => command(id, 'deploy', { type: 'TriggerTask', body: { context } });
const rewire = (id: string, dependencies: string[]) => command(id, 'deploy', { type: 'ChangeTask', body: { dependencies } });

const codeOf = (outcome: Outcome | undefined) => (outcome?.kind === 'refused' ? outcome.refusal.code : outcome?.kind);

/** Throws once at the first call of this name. */
function failingOnce(at: string) {
  let isOpen = true;
  return async (call: string) => {
    if (call !== at || !isOpen) return;
    isOpen = false;
    throw new Error(`${call} fails`);
  };
}

describe('twins of a command', () => {
  test('make one event and get identical outcomes, 60 in one batch', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('c1'), ...Array.from({ length: 60 }, () => trigger('c2'))]));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered']);
    const outcomes = owner.answers.filter(({ commandId }) => commandId === 'c2').map(({ outcome }) => outcome);
    expect(outcomes).toHaveLength(60);
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect(owner.answers.filter(({ replayed }) => replayed)).toHaveLength(59);
  });

  test('meet across batches, and after a restart', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('c1'), trigger('c2')]));
    await owner.take(inLog([trigger('c2')], 2));
    owner.restart();
    await owner.take(inLog([trigger('c2')], 3));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered']);
    expect(new Set(owner.answers.slice(1).map(({ outcome }) => JSON.stringify(outcome))).size).toBe(1);
  });

  test('with another body are told so, also when the first one’s receipt was lost in a crash', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores, failingOnce('put'));
    const records = inLog([create('c1'), trigger('c2', { n: 1 }), trigger('c2', { n: 2 })]);
    await expect(owner.take(records)).rejects.toThrow('put fails');
    owner.restart();
    await owner.take(records);
    expect(owner.answers.map(({ outcome }) => codeOf(outcome))).toEqual(['accepted', 'accepted', 'idempotency_key_reused']);
    expect(stores.receipts.get('c2')?.sequence).toBe(2);
  });

  test('of a change in two steps get the second step’s answer, also in its batch', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('c0', 'build'), create('c1'), rewire('c2', ['build'])]));
    const [confirmation] = owner.followUps();
    expect(confirmation).toMatchObject({ type: 'ConfirmDependencies', answersTo: 'c2' });
    await owner.take(inLog([rewire('c2', ['build']), confirmation as Sent, rewire('c2', ['build'])], 3));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'DependenciesProposed', 'DependenciesChanged']);
    const told = owner.answers.filter(({ commandId }) => commandId === 'c2');
    expect(told).toHaveLength(2);
    expect(told[1]?.outcome).toEqual(told[0]?.outcome);
  });

  test('of a change in two steps are known when the second step is delivered again without its receipt', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create('c0', 'build'), create('c1'), rewire('c2', ['build'])]));
    const again = inLog([...owner.followUps(), rewire('c2', ['build'])], 3);
    const dying = new Owner(stores, failingOnce('put'));
    await expect(dying.take(again)).rejects.toThrow('put fails');
    owner.restart();
    await owner.take(again);
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'DependenciesProposed', 'DependenciesChanged']);
    expect(stores.receipts.get('c2')?.outcome.kind).toBe('accepted');
  });

  test('are known when a crash has left events without receipts and the records come again in smaller batches', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores, failingOnce('put'));
    const records = inLog([create('c1'), trigger('c2'), command('c3', 'deploy', { type: 'CancelTask', body: {} })]);
    await expect(owner.take(records)).rejects.toThrow('put fails');
    for (const record of records) await owner.take([record]);
    expect([...stores.receipts.keys()]).toEqual(['c1', 'c2', 'c3']);
    await owner.take(inLog([trigger('c2')], 3));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered', 'TaskCancelled']);
  });
});

describe('a batch that is delivered again', () => {
  test.each(['append', 'put', 'save', 'emit retrigger.events'])(
    'after it died at "%s" makes the same events and tells them all',
    async (at) => {
      const stores = new FakeStores();
      const owner = new Owner(stores, failingOnce(at));
      const records = inLog([create('c1'), trigger('c2'), trigger('c3')]);
      await expect(owner.take(records)).rejects.toThrow(`${at} fails`);
      owner.restart();
      await owner.take(records);
      expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered', 'CommandRefused']);
      const told = owner.appended.map(({ record }) => JSON.parse(Buffer.from(record.value).toString()).sequence);
      expect(told).toEqual([1, 2, 3]);
      const answers = ['accepted', 'accepted', 'task_already_running'];
      const given = at === 'emit retrigger.events' ? [...answers, ...answers] : answers; // N5: what is stored may be told, whatever comes of the rest
      expect(owner.answers.map(({ outcome }) => codeOf(outcome))).toEqual(given);
      expect(owner.committed).toEqual([3]);
    },
  );
});

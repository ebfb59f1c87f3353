import { fingerprint } from '@retrigger/domain/idempotency.ts';
import { unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, Owner, type Sent } from './owner.ts';

const create = command('create', 'deploy', { type: 'CreateTask', body: { type: 'job' } });
const trigger = (roles: Sent['roles'], context = {}): Sent => ({
  ...command('t1', 'deploy', { type: 'TriggerTask', body: { context } }),
  roles,
  fingerprint: fingerprint({ context }),
});

const codes = (owner: Owner) => owner.answers.map(({ outcome }) => (outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind));

describe('a command that the caller’s roles don’t permit', () => {
  test('is an event of the task, its answer can be asked for, and it binds no repeat', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([create, trigger(['viewer']), trigger(['viewer'])]));
    await owner.take(inLog([trigger(['admin'], { another: 'body' })], 3));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'CommandRefused', 'CommandRefused', 'TaskTriggered']);
    expect(codes(owner)).toEqual(['accepted', 'forbidden', 'forbidden', 'accepted']);
    expect(owner.answers.every(({ replayed }) => !replayed)).toBe(true);
    expect(stores.receipts.get('t1')?.sequence).toBe(4);
    expect(stores.receipts.get(unboundReceiptId('t1'))).toMatchObject({ sequence: 2, outcome: { kind: 'refused' } });
  });

  test('is answered again, and written once, when its record is delivered again', async () => {
    const stores = new FakeStores();
    let isOpen = true;
    const dying = new Owner(stores, async (call) => {
      if (call === 'put' && isOpen) throw new Error('put fails');
    });
    const records = inLog([create, trigger(['viewer']), trigger(['viewer'])]);
    await expect(dying.take(records)).rejects.toThrow('put fails');
    isOpen = false;
    dying.restart();
    await dying.take(records);
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'CommandRefused', 'CommandRefused']);
    expect(codes(dying)).toEqual(['accepted', 'forbidden', 'forbidden']);
  });

  test('on no task is that there is none, and on a new one that it may not be made', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    await owner.take(inLog([trigger(['viewer']), { ...create, roles: ['viewer'] }]));
    expect(codes(owner)).toEqual(['task_not_found', 'forbidden']);
    expect(stores.streams.get('acme/deploy') ?? []).toEqual([]);
  });

  test('that the cluster sends itself needs no role', async () => {
    const stores = new FakeStores();
    const owner = new Owner(stores);
    const { fingerprint: _, ...own } = trigger([]);
    await owner.take(inLog([create, { ...own, actor: { id: 'scheduler', type: 'system' } }]));
    expect(stores.types('acme/deploy')).toEqual(['TaskCreated', 'TaskTriggered']);
  });
});

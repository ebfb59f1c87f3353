import { subscriptionsIn } from '@retrigger/engine/subscriptions.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { RECEIPT_LIFE_MS } from '@retrigger/ports/receipt-store.ts';
import { expect, test } from 'vitest';

const subscription = (id: string) => ({
  ...{ tenantId: 'acme', id, channel: 'webhook' as const, address: 'https://a.example', events: null, tasks: null, criticalOnly: false },
  ...{ createdAt: '2026-03-01T00:00:00.000Z', generation: 1, paused: null, lastTest: null },
});
const ended = async (documents: MemoryDocumentStore) => (await documents.list('subscription.ended', 'acme', null, 10)).map(({ id }) => id);

test('that one has ended is remembered for as long as its call may be repeated, and forgotten when another ends later (E1, E3)', async () => {
  const documents = new MemoryDocumentStore();
  const subscriptions = subscriptionsIn(documents);
  for (const id of ['a', 'b', 'c']) await subscriptions.make(subscription(id));
  expect(await subscriptions.remove('acme', 'a', { commandId: 'one', now: 0 })).toBe(true);
  expect(await subscriptions.remove('acme', 'b', { commandId: 'two', now: RECEIPT_LIFE_MS })).toBe(true);
  expect(await subscriptions.remove('acme', 'a', { commandId: 'one', now: RECEIPT_LIFE_MS })).toBe(true);
  expect(await subscriptions.remove('acme', 'a', { commandId: 'another', now: RECEIPT_LIFE_MS })).toBe(false);
  expect(await ended(documents)).toEqual(['a', 'b']);
  expect(await subscriptions.remove('acme', 'c', { commandId: 'three', now: 2 * RECEIPT_LIFE_MS + 1 })).toBe(true);
  expect(await ended(documents)).toEqual(['b', 'c']);
  expect(await subscriptions.of('acme')).toEqual([]);
});

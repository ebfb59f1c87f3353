import { ASKED_DELIVERIES, deliveryDocument, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { AskedDeliveries } from '@retrigger/notifier/asked-deliveries.ts';
import type { OwnedPartition } from '@retrigger/notifier/owned-partition.ts';
import { expect, test } from 'vitest';

const asked = (tenantId: string, id: string): StoredDelivery => ({
  ...{ tenantId, subscriptionId: 's', id, line: id, event: null, source: { partition: 0, offset: 0, at: 0 } },
  ...{ attempts: 0, dueAt: 0, storedAt: 0, kind: ASKED_DELIVERIES, version: 1 },
});

test('a tenant with thousands of tests that wait keeps no other one’s waiting, and its own get their turn (A1)', async () => {
  const documents = new MemoryDocumentStore();
  for (let i = 0; i < 2_000; i++) await documents.write(deliveryDocument(asked('a', `test_${String(i).padStart(5, '0')}`)));
  for (const tenantId of ['a.b', 'b']) await documents.write(deliveryDocument(asked(tenantId, `test_of_${tenantId}`)));
  const entered: StoredDelivery[] = [];
  const ends: (() => Promise<void>)[] = [];
  const owned = {
    partition: 0,
    enter(delivery: StoredDelivery, over: () => void) {
      entered.push(delivery);
      ends.push(async () => {
        await documents.remove(ASKED_DELIVERIES, delivery.tenantId, delivery.id);
        over();
      });
    },
    pump() {},
  } as unknown as OwnedPartition;
  const clock = { now: () => 0, timer: () => () => {} };
  const desk = new AskedDeliveries({ documents, log: { partitionOf: () => 0 }, clock, owned: () => owned });
  await desk.turn();
  expect(entered.filter(({ tenantId }) => tenantId !== 'a')).toHaveLength(2);
  expect(entered.length).toBeLessThan(600);
  for (let turns = 0; ends.length > 0 && turns < 20; turns++) {
    for (const end of ends.splice(0)) await end();
    await desk.turn();
  }
  expect(new Set(entered.map(({ tenantId, id }) => `${tenantId}/${id}`)).size).toBe(2_002);
});

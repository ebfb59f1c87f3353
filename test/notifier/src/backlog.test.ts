import { deliveryDocument, deliveryId, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { Backlog } from '@retrigger/notifier/backlog.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';

const KIND = 'delivery.0';

const delivery = (offset: number): StoredDelivery => ({
  ...{ kind: KIND, version: 1, tenantId: 'acme', subscriptionId: 'one', id: deliveryId('one', offset), line: 'acme/t' },
  ...{ event: { key: 'acme/t', sequence: offset }, source: { partition: 0, offset, at: 0 }, attempts: 0, dueAt: 0, storedAt: 0 },
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each(['arrived', 'found'] as const)('what is read while it is being stored is told once when it has %s (B3)', async (how) => {
  const documents = new MemoryDocumentStore();
  const entered: number[] = [];
  const overs: (() => void)[] = [];
  const backlog = new Backlog(
    { documents, clock: systemClock, observer: silent, pump: () => {} },
    { kind: KIND, tenantId: 'acme', subscriptionId: 'one' },
    ({ source }, over) => {
      entered.push(source.offset);
      overs.push(over);
    },
    { loaded: 2, stored: 100 },
  );
  const end = async (): Promise<void> => {
    const over = overs.shift();
    await documents.remove(KIND, 'acme', deliveryId('one', entered[entered.length - 1 - overs.length] ?? 0));
    over?.();
    await settled();
  };
  const many = Array.from({ length: 5 }, (_, i) => delivery(i + 1));
  await documents.make(many.map(deliveryDocument));
  for (const one of many.slice(0, 3)) backlog.arrived(one); // the others are still on their way here
  for (let i = 0; i < 5; i++) await end();
  for (const one of many.slice(3)) backlog[how](one);
  for (let i = 0; i < 5; i++) await end();
  expect(entered).toEqual([1, 2, 3, 4, 5]);
  expect(await documents.listAll(KIND, null, 10)).toEqual([]);
});

import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Receipt, ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Mark, Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

/** Called at the beginning of each call of a store; it may wait, and throw. */
export type Before = (call: string) => Promise<void>;

/** What several owners share. */
export class FakeStores {
  readonly streams = new Map<string, StoredEvent[]>();
  readonly receipts = new Map<string, Receipt>();
  readonly snapshots = new Map<string, Snapshot>();
  readonly marks: [number, Mark][] = [];
  readonly sweeps: [number, number][] = [];

  stream(key: string): StoredEvent[] {
    const stream = this.streams.get(key) ?? [];
    this.streams.set(key, stream);
    return stream;
  }

  types(key: string): string[] {
    return this.stream(key).map(({ event }) => event.eventType);
  }
}

const unused = () => Promise.reject(new Error('this is not asked for here'));

export const fakeEvents = (stores: FakeStores, before: Before): EventStore => ({
  async append(events) {
    await before('append');
    const keys = new Set<string>();
    for (const stored of events) {
      const stream = stores.stream(stored.key);
      if (keys.has(stored.key) || stream.length >= stored.event.sequence) keys.add(stored.key);
      else stream.push(stored);
    }
    return keys.size === 0 ? { kind: 'stored' } : { kind: 'conflict', keys };
  },
  async read(key, { from, to, limit, order }) {
    await before('read');
    const found = stores.stream(key).filter(({ event }) => event.sequence >= from && event.sequence <= to);
    return (order === 'asc' ? found : found.reverse()).slice(0, limit);
  },
  ...{ page: unused, count: unused, pageOfTenant: unused, countOfTenant: unused, texts: unused },
});

export const fakeReceipts = (stores: FakeStores, before: Before): ReceiptStore => ({
  async put(receipts) {
    await before('put');
    for (const receipt of receipts) if (!stores.receipts.has(receipt.commandId)) stores.receipts.set(receipt.commandId, receipt);
  },
  async load(commandIds) {
    await before('load receipts');
    return new Map([...stores.receipts].filter(([id]) => commandIds.includes(id)));
  },
  async sweep(partition, until) {
    stores.sweeps.push([partition, until]);
    return 0;
  },
});

export const fakeSnapshots = (stores: FakeStores, before: Before): SnapshotStore => ({
  async save(snapshots) {
    await before('save');
    for (const snapshot of snapshots)
      if ((stores.snapshots.get(snapshot.key)?.head.sequence ?? 0) < snapshot.head.sequence) stores.snapshots.set(snapshot.key, snapshot);
  },
  async load(keys) {
    await before('load snapshots');
    return new Map(
      keys.flatMap((key) => {
        const found = stores.snapshots.get(key);
        return found === undefined ? [] : [[key, found] as const];
      }),
    );
  },
  async due(partition, until) {
    await before('due');
    return [...stores.snapshots.values()].flatMap(({ key, wakeAt, wakeKind, partition: own }) =>
      own === partition && wakeAt !== null && wakeAt < until ? [{ key, wakeAt, wakeKind }] : [],
    );
  },
  async waiting(tenantId, taskId, after, limit) {
    await before('waiting');
    return [...stores.snapshots.values()]
      .flatMap((row) => (row.tenantId === tenantId && row.waitsFor.includes(taskId) && row.taskId > (after ?? '') ? [row.taskId] : []))
      .sort()
      .slice(0, limit);
  },
  async saveMark(partition, mark) {
    await before('save mark');
    stores.marks.push([partition, mark]);
  },
  list: unused,
  claimable: unused,
  marks: () => Promise.resolve(new Map(stores.marks)),
});

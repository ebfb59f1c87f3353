import { join } from 'node:path';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { EventFilter } from '@retrigger/ports/event-store.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openDatabase } from '@retrigger/sqlite/open-database.ts';
import { RECEIPTS_BY_ARRIVAL } from '@retrigger/sqlite/sqlite-receipt-store.ts';
import { openSqliteStore, type SqliteStore, STORE_MIGRATIONS } from '@retrigger/sqlite/sqlite-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { crashDecided } from './crash-writes.ts';
import { unique } from './eventually.ts';
import { sampleEvent, sampleReceipt, sampleSnapshot } from './samples.ts';
import { temporaryFolder } from './temporary-folder.ts';

function open(path = join(temporaryFolder(), 'store.db')): SqliteStore {
  const store = openSqliteStore(path, unobserved);
  onTestFinished(() => store.close());
  return store;
}

describe('sqlite store', () => {
  const filters: EventFilter[] = [
    {},
    { types: ['TaskTriggered'] },
    { from: '2026-03-01T00:00:00Z', before: '2026-03-02T00:00:00Z' },
    { actorId: 'user' },
    { types: ['TaskTriggered'], from: '2026-03-01T00:00:00Z', before: '2026-03-02T00:00:00Z', actorId: 'user' },
  ];

  test.each(filters)('pages and counts filtered by %o find their rows by the index on the name, and sort nothing', (filter) => {
    const { events } = open();
    for (const order of ['asc', 'desc'] as const) {
      const { page, count } = events.plan(filter, order);
      expect(page[0]).toMatch(/^SEARCH events USING INDEX events_by_name \(key=\? AND sequence[<>]\?\)/);
      expect(count[0]).toMatch(/^SEARCH events USING (COVERING )?INDEX events_by_name \(key=\? AND sequence>\? AND sequence<\?\)/);
      expect([...page, ...count].filter((step) => /^SCAN events|TEMP B-TREE/.test(step))).toEqual([]);
    }
  });

  test.each([
    ['types', false, /^SEARCH events USING COVERING INDEX events_by_type \(tenant_id=\? AND type=\? AND /],
    ['actor and types', true, /^SEARCH events USING COVERING INDEX events_by_actor \(tenant_id=\? AND actor_id=\? AND type=\? AND /],
  ])('pages and counts over a tenant, by %s, find their rows by an index alone, already in order', (_, byActor, search) => {
    const { events } = open();
    for (const types of [1, 2, 13]) {
      for (const order of ['asc', 'desc'] as const) {
        const { find, count } = events.planOfTenant(types, order, byActor);
        const steps = [...find, ...count].filter((step) => !/^(MERGE \(UNION ALL\)|LEFT|RIGHT)$/.test(step));
        expect(steps).toHaveLength(types + 2);
        for (const step of steps) expect(step).toMatch(search);
      }
    }
  });

  test('due times, waiting tasks, lists and what may be claimed are found by an index alone', () => {
    const { snapshots } = open();
    const { due, waiting, list, listOfType, claimable } = snapshots.plan();
    const byStatus = /^SEARCH snapshots USING COVERING INDEX snapshots_by_status \(tenant_id=\? AND status=\? AND /;
    expect([list.length, listOfType.length]).toEqual([1, 1]);
    expect(list.join()).toMatch(byStatus);
    expect(listOfType.join()).toMatch(byStatus);
    expect(claimable.join()).toMatch(
      /^SEARCH snapshots USING COVERING INDEX snapshots_claimable \(tenant_id=\? AND type=\? AND claimable_since>\?\)$/,
    );
    expect(due.join()).toMatch(/^SEARCH snapshots USING COVERING INDEX snapshots_due \(partition=\? AND/);
    expect(waiting.join()).toMatch(/^SEARCH waits USING PRIMARY KEY \(tenant_id=\? AND waits_for=\? AND task_id>\?\)$/);
  });

  test('what was acknowledged is there after the file is opened again', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = open(path);
    const decided = crashDecided(unique('tenant'), 1);
    await first.decisions.write(decided);
    await first.snapshots.saveMark(3, { at: 77, newest: 70 });
    await first.close();
    const second = open(path);
    const { events, receipts, snapshots } = second;
    const [event] = decided.events;
    expect(await events.read(event?.key ?? '', { from: 1, to: 1, limit: 1, order: 'asc' })).toEqual([event]);
    expect((await receipts.load(decided.receipts.map(({ commandId }) => commandId))).size).toBe(decided.receipts.length);
    expect((await snapshots.load(decided.snapshots.map(({ key }) => key))).size).toBe(decided.snapshots.length);
    expect(await snapshots.marks()).toEqual(new Map([[3, { at: 77, newest: 70 }]]));
  });

  test('closing commits what was submitted', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = open(path);
    const marked = first.snapshots.saveMark(1, { at: 5, newest: 0 });
    await first.close();
    await marked;
    expect(await open(path).snapshots.marks()).toEqual(new Map([[1, { at: 5, newest: 0 }]]));
  });
});

describe('sqlite snapshot store', () => {
  const snapshot = (sequence: number, waitsFor: string[] = []) =>
    sampleSnapshot(sampleEvent({ tenantId: 'acme', taskId: 'task', sequence }), { waitsFor });
  const loaded = async ({ snapshots }: SqliteStore) => (await snapshots.load(['acme/task'])).get('acme/task');

  test('what a transaction saved that was rolled back nobody reads (C1)', async () => {
    const store = open();
    await store.snapshots.save([snapshot(1)]);
    expect(await loaded(store)).toEqual(snapshot(1));
    const broken = { ...snapshot(1), key: 'acme/other', taskId: 'other', status: undefined as unknown as string };
    await expect(store.snapshots.save([snapshot(2), broken])).rejects.toThrow();
    expect(await loaded(store)).toEqual(snapshot(1));
    await store.snapshots.save([snapshot(3)]);
    expect(await loaded(store)).toEqual(snapshot(3));
  });

  test('who stops to wait is found no more, whether its snapshot was read before or not', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const first = open(path);
    const waiting = ({ snapshots }: SqliteStore) => snapshots.waiting('acme', 'other', null, 10);
    await first.snapshots.save([snapshot(1)]);
    await first.snapshots.save([snapshot(2, ['other'])]);
    expect(await waiting(first)).toEqual(['task']);
    await first.snapshots.save([snapshot(3)]);
    expect(await waiting(first)).toEqual([]);
    await first.snapshots.save([snapshot(4, ['other'])]);
    await first.close();
    const second = open(path);
    expect(await waiting(second)).toEqual(['task']);
    await second.snapshots.save([snapshot(5)]);
    expect(await waiting(second)).toEqual([]);
  });
});

describe('sqlite receipt store', () => {
  test('a file of an older version keeps its receipts', async () => {
    const path = join(temporaryFolder(), 'store.db');
    const receipt = sampleReceipt(sampleEvent({ tenantId: 'acme', taskId: 'task', sequence: 1 }), { commandId: 'command' });
    const older = openDatabase(path, STORE_MIGRATIONS.slice(0, STORE_MIGRATIONS.indexOf(RECEIPTS_BY_ARRIVAL)));
    const { partition, at } = receipt.position;
    older.prepare('INSERT INTO receipts VALUES (?, ?, ?, ?)').run('command', partition, at, JSON.stringify(receipt));
    older.close();
    const { receipts } = open(path);
    expect(await receipts.load(['command'])).toEqual(new Map([['command', receipt]]));
    expect(await receipts.sweep(partition, at + 1)).toBe(1);
  });

  test('a sweep ends when all that are old enough are gone, however many there are and whatever other partitions have', async () => {
    const { receipts } = open();
    const event = sampleEvent({ tenantId: 'acme', taskId: 'task', sequence: 1 });
    const of = (partition: number, i: number) =>
      sampleReceipt(event, { commandId: `${partition}-${i}`, position: { partition, offset: i, at: 1_000 + (i % 7) } });
    for (const partition of [1, 2]) await receipts.put(Array.from({ length: 2_500 }, (_, i) => of(partition, i)));
    expect(await receipts.sweep(1, 1_006)).toBe(2_500 - 357);
    expect(await receipts.sweep(1, 1_007)).toBe(357);
    expect(await receipts.sweep(2, 1_007)).toBe(2_500);
  });
});

describe('sqlite event store: counts of long histories', () => {
  const type = 'TaskTriggered';
  const count = async (events: SqliteStore['events'], before: number, from?: number) =>
    events.countOfTenant({ tenantId: 'acme', types: [type], ...(from === undefined ? {} : { from: at(from) }), before: at(before) });
  const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
  /** One a millisecond, two in every tenth. */
  const many = (first: number, last: number): StoredEvent[] => {
    const events: StoredEvent[] = [];
    for (let ms = first; ms < last; ms++) for (let n = 0; n < (ms % 10 === 0 ? 2 : 1); n++) events.push(bareEvent(`t${ms}-${n}`, at(ms)));
    return events;
  };
  const bareEvent = (taskId: string, timestamp: string): StoredEvent => {
    const event = { ...sampleEvent({ tenantId: 'acme', taskId, sequence: 1 }).event, timestamp, eventType: type };
    return { key: `acme/${taskId}`, event, json: JSON.stringify(event), position: { partition: 0, offset: 0, at: 0 } };
  };
  const expected = (from: number, before: number): number => {
    let total = 0;
    for (let ms = from; ms < before; ms++) total += ms % 10 === 0 ? 2 : 1;
    return total;
  };

  test('are exact over any span, whatever was counted before, also while several count at once and more is added (Q1)', async () => {
    const { events } = open();
    await events.append(many(0, 15_000));
    const spans = [
      [0, 15_000],
      [7_000, 7_010],
      [4_545, 4_546],
      [0, 4_546],
      [9_000, 14_999],
      [14_000, 13_000],
    ] as const;
    const counted = await Promise.all([...spans, ...spans].map(([from, before]) => count(events, before, from)));
    expect(counted).toEqual([...spans, ...spans].map(([from, before]) => expected(from, before)));
    await events.append(many(15_000, 26_000));
    expect(await count(events, 26_000)).toBe(expected(0, 26_000));
    for (const [from, before] of [...spans, [14_990, 20_010], [0, 26_000]] as const)
      expect([from, before, await count(events, before, from)]).toEqual([from, before, expected(from, before)]);
  });
});

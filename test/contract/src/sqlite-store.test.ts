import { join } from 'node:path';
import type { EventFilter } from '@retrigger/ports/event-store.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import { openSqliteStore, type SqliteStore } from '@retrigger/sqlite/sqlite-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { crashDecided } from './crash-writes.ts';
import { unique } from './eventually.ts';
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

  test('due times, waiting tasks and lists are found by an index alone', () => {
    const { snapshots } = open();
    const { due, waiting, list, listOfType } = snapshots.plan();
    const byStatus = /^SEARCH snapshots USING COVERING INDEX snapshots_by_status \(tenant_id=\? AND status=\? AND /;
    expect([list.length, listOfType.length]).toEqual([1, 1]);
    expect(list.join()).toMatch(byStatus);
    expect(listOfType.join()).toMatch(byStatus);
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

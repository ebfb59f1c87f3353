import type { Claimable, Due, Snapshot, SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePartition, unique } from './eventually.ts';
import { sampleEvent, sampleSnapshot } from './samples.ts';

export type SnapshotStoreAdapter = {
  open(): Promise<{ snapshots: SnapshotStore; close(): Promise<void> }>;
  timeoutMs: number;
};

/** The snapshot-store port's definition: S1 to S3, due times, waiting tasks, lists, what may be claimed, marks. */
export function snapshotStoreContract(name: string, adapter: SnapshotStoreAdapter): void {
  const open = async (): Promise<SnapshotStore> => {
    const { snapshots, close } = await adapter.open();
    onTestFinished(close);
    return snapshots;
  };
  const snapshot = (tenantId: string, taskId: string, sequence: number, more: Partial<Snapshot> = {}): Snapshot =>
    sampleSnapshot(sampleEvent({ tenantId, taskId, sequence }), more);

  describe(`${name} snapshot store`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('snapshots come out as they went in; those that do not exist are left out (S2)', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      const given = [
        snapshot(tenant, 'a', 1, {
          wakeAt: 1_772_000_000_123,
          wakeKind: 'heartbeat',
          waitsFor: ['b', 'c'],
          status: 'Running',
          claimableSince: 7,
        }),
        snapshot(tenant, 'b', 7, { head: { sequence: 7, hash: 'h', at: 5, position: null }, state: { deep: [{ x: null }, 1.5] } }),
      ];
      await snapshots.save(given);
      const keys = [`${tenant}/a`, `${tenant}/b`, `${tenant}/none`];
      expect(await snapshots.load(keys)).toEqual(new Map(given.map((one) => [one.key, one])));
      expect(await snapshots.load([])).toEqual(new Map());
    });

    test('a snapshot is replaced by one of a higher sequence only; an older one is no error (S1)', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      const load = async () => (await snapshots.load([`${tenant}/a`])).get(`${tenant}/a`);
      await snapshots.save([snapshot(tenant, 'a', 5, { status: 'Running', waitsFor: ['x'] })]);
      const newer = snapshot(tenant, 'a', 6, { status: 'Completed', wakeAt: 9 });
      await snapshots.save([newer]);
      expect(await load()).toEqual(newer);
      await snapshots.save([snapshot(tenant, 'a', 5, { waitsFor: ['x'] }), snapshot(tenant, 'a', 6, { status: 'Other' })]);
      expect(await load()).toEqual(newer);
      expect(await snapshots.waiting(tenant, 'x', null, 10)).toEqual([]);
    });

    test('of many saves at once the highest sequence stays (S1)', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      const order = [3, 9, 1, 7, 10, 2, 8, 5, 4, 6];
      await Promise.all(order.map((sequence) => snapshots.save([snapshot(tenant, 'a', sequence)])));
      expect((await snapshots.load([`${tenant}/a`])).get(`${tenant}/a`)?.head.sequence).toBe(10);
    });

    test('due times of a partition come by time and key, before the bound, in pages', async () => {
      const snapshots = await open();
      const [tenant, partition] = [unique('tenant'), freePartition()];
      const own = (taskId: string, wakeAt: number | null, more: Partial<Snapshot> = {}) =>
        snapshot(tenant, taskId, 1, { partition, wakeAt, ...more });
      await snapshots.save([
        own('d', 2_000),
        own('a', 2_000, { wakeKind: 'check' }),
        own('b', 1_000, { wakeKind: 'heartbeat' }),
        own('late', 3_000),
        own('never', null),
        own('foreign', 1_000, { partition: freePartition() }),
      ]);
      const expected: Due[] = [
        { key: `${tenant}/b`, wakeAt: 1_000, wakeKind: 'heartbeat' },
        { key: `${tenant}/a`, wakeAt: 2_000, wakeKind: 'check' },
        { key: `${tenant}/d`, wakeAt: 2_000, wakeKind: 'due' },
      ];
      expect(await snapshots.due(partition, 3_000, null, 10)).toEqual(expected);
      expect(await snapshots.due(partition, 3_000, null, 2)).toEqual(expected.slice(0, 2));
      expect(await snapshots.due(partition, 3_000, expected[1] ?? null, 2)).toEqual(expected.slice(2));
      await snapshots.save([snapshot(tenant, 'a', 2, { partition, wakeAt: null }), snapshot(tenant, 'b', 2, { partition, wakeAt: 2_500 })]);
      expect((await snapshots.due(partition, 3_000, null, 10)).map(({ key }) => key)).toEqual([`${tenant}/d`, `${tenant}/b`]);
    });

    test('tells who waits for a task, by id, in pages, and in its tenant only', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      await snapshots.save([
        snapshot(tenant, 'c', 1, { waitsFor: ['x', 'y'] }),
        snapshot(tenant, 'a', 1, { waitsFor: ['x'] }),
        snapshot(tenant, 'b', 1, { waitsFor: ['x', 'x'] }),
        snapshot(tenant, 'd', 1, { waitsFor: ['y'] }),
        snapshot(`${tenant}x`, 'e', 1, { waitsFor: ['x'] }),
      ]);
      expect(await snapshots.waiting(tenant, 'x', null, 10)).toEqual(['a', 'b', 'c']);
      expect(await snapshots.waiting(tenant, 'x', null, 2)).toEqual(['a', 'b']);
      expect(await snapshots.waiting(tenant, 'x', 'b', 2)).toEqual(['c']);
      await snapshots.save([snapshot(tenant, 'c', 2, { waitsFor: ['y'] })]);
      expect(await snapshots.waiting(tenant, 'x', null, 10)).toEqual(['a', 'b']);
      expect(await snapshots.waiting(tenant, 'y', null, 10)).toEqual(['c', 'd']);
    });

    test('lists a tenant’s tasks of some statuses, and of one type, by type and id, in pages', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      const own = (taskId: string, type: string, status: string, sequence = 1) => snapshot(tenant, taskId, sequence, { type, status });
      const given = [
        own('d', 'build', 'Running'),
        own('a', 'deploy', 'Draft'),
        own('c', 'build', 'Draft'),
        own('b', 'deploy', 'Running'),
        own('e', 'build', 'Failed'),
      ];
      await snapshots.save([...given, snapshot(`${tenant}x`, 'f', 1, { type: 'build', status: 'Draft' })]);
      const all = ['Draft', 'Running', 'Failed', 'Completed'];
      const ids = async (...asked: Parameters<SnapshotStore['list']>) => (await snapshots.list(...asked)).map(({ taskId }) => taskId);
      expect(await ids(tenant, { statuses: all }, null, 10)).toEqual(['c', 'd', 'e', 'a', 'b']);
      expect(await ids(tenant, { statuses: ['Running'] }, null, 10)).toEqual(['d', 'b']);
      expect(await ids(tenant, { statuses: all, type: 'build' }, null, 10)).toEqual(['c', 'd', 'e']);
      expect(await ids(tenant, { statuses: ['Completed'] }, null, 10)).toEqual([]);
      expect(await ids(tenant, { statuses: [] }, null, 10)).toEqual([]);
      expect(await ids(tenant, { statuses: all }, null, 2)).toEqual(['c', 'd']);
      expect(await ids(tenant, { statuses: all }, { type: 'build', taskId: 'd' }, 2)).toEqual(['e', 'a']);
      expect(await ids(tenant, { statuses: all, type: 'build' }, { type: 'build', taskId: 'c' }, 1)).toEqual(['d']);
      expect((await snapshots.list(tenant, { statuses: ['Failed'] }, null, 1))[0]).toEqual(given[4]);
      await snapshots.save([own('e', 'build', 'Completed', 2)]);
      expect(await ids(tenant, { statuses: all }, { type: 'build', taskId: 'd' }, 1)).toEqual(['e']);
      expect(await ids(tenant, { statuses: ['Failed'] }, null, 10)).toEqual([]);
    });

    test('tells what may be claimed of a type, the longest waiting first, in its tenant only', async () => {
      const snapshots = await open();
      const tenant = unique('tenant');
      const own = (taskId: string, since: number | null, sequence = 1, type = 'deploy') =>
        snapshot(tenant, taskId, sequence, { type, claimableSince: since });
      await snapshots.save([
        own('c', 1_000),
        own('b', 2_000),
        own('a', 2_000),
        own('taken', null),
        own('other', 1_000, 1, 'build'),
        snapshot(`${tenant}x`, 'foreign', 1, { type: 'deploy', claimableSince: 1_000 }),
      ]);
      const expected: Claimable[] = [
        { taskId: 'c', since: 1_000 },
        { taskId: 'a', since: 2_000 },
        { taskId: 'b', since: 2_000 },
      ];
      expect(await snapshots.claimable(tenant, 'deploy', 10)).toEqual(expected);
      expect(await snapshots.claimable(tenant, 'deploy', 2)).toEqual(expected.slice(0, 2));
      expect(await snapshots.claimable(tenant, 'deploy', 0)).toEqual([]);
      expect(await snapshots.claimable(tenant, 'none', 10)).toEqual([]);
      await snapshots.save([own('c', null, 2), own('a', 3_000, 2)]);
      expect((await snapshots.claimable(tenant, 'deploy', 10)).map(({ taskId }) => taskId)).toEqual(['b', 'a']);
    });

    test('neither part of a mark ever goes back (S3)', async () => {
      const snapshots = await open();
      const [a, b] = [freePartition(), freePartition()];
      await Promise.all([snapshots.saveMark(a, { at: 1_000, newest: 7 }), snapshots.saveMark(b, { at: 5, newest: 0 })]);
      await snapshots.saveMark(a, { at: 3_000, newest: 6 });
      await snapshots.saveMark(a, { at: 2_000, newest: 8 });
      const marks = await snapshots.marks();
      expect([marks.get(a), marks.get(b), marks.get(freePartition())]).toEqual([{ at: 3_000, newest: 8 }, { at: 5, newest: 0 }, undefined]);
    });

    test('of many marks at once the highest stays (S3)', async () => {
      const [snapshots, partition] = [await open(), freePartition()];
      await Promise.all([5, 9, 1, 7, 3].map((at) => snapshots.saveMark(partition, { at, newest: 10 - at })));
      expect((await snapshots.marks()).get(partition)).toEqual({ at: 9, newest: 9 });
    });
  });
}

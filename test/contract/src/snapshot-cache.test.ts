import { EMPTY_HEAD } from '@retrigger/domain/event.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import { SnapshotCache } from '@retrigger/sqlite/snapshot-cache.ts';
import { expect, test } from 'vitest';

const snapshot = (key: string, bytes: number): Snapshot => ({
  ...{ key, tenantId: 't', taskId: key, partition: 0, head: EMPTY_HEAD, state: { text: 'x'.repeat(bytes) }, status: 'Draft', type: 'job' },
  ...{ wakeAt: null, wakeKind: 'due', waitsFor: [], claimableSince: null },
});
const held = (cache: SnapshotCache, keys: string[]) => keys.filter((key) => cache.get(key) !== undefined);

test('two generations of so many, or of so much, are held', () => {
  const many = new SnapshotCache(10, 1_000_000);
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  for (const key of keys) many.put(snapshot(key, 10));
  expect(held(many, keys.slice(0, 80))).toEqual([]);
  expect(held(many, keys.slice(-10))).toEqual(keys.slice(-10));
  const heavy = new SnapshotCache(1_000, 100_000);
  for (const key of keys) heavy.put(snapshot(key, 9_000));
  expect(held(heavy, keys.slice(0, 78))).toEqual([]);
  expect(held(heavy, keys.slice(-10))).toEqual(keys.slice(-10));
});

test('one that is heavier than all may be is held until the next comes', () => {
  const cache = new SnapshotCache(10, 1_000);
  cache.put(snapshot('a', 5_000));
  expect(held(cache, ['a'])).toEqual(['a']);
  cache.put(snapshot('b', 5_000));
  cache.put(snapshot('c', 5_000));
  expect(held(cache, ['a', 'b', 'c'])).toEqual(['b', 'c']);
});

import { describe, expect, test } from 'vitest';
import { eventCrashTests } from './event-crash-tests.ts';
import { eventPageTests } from './event-page-tests.ts';
import { type EventStoreAdapter, openEvents } from './event-store-adapter.ts';
import { eventTenantTests } from './event-tenant-tests.ts';
import { unique } from './eventually.ts';
import { inRounds, sampleEvent, sampleStream } from './samples.ts';

/** The event-store port's definition: E1 to E4, reading, pages and counts. */
export function eventStoreContract(name: string, adapter: EventStoreAdapter): void {
  const { timeoutMs } = adapter;
  const all = { from: 1, to: Number.MAX_SAFE_INTEGER, limit: 1_000, order: 'asc' } as const;

  describe(`${name} event store`, { timeout: timeoutMs * 4 }, () => {
    test('events come out as they went in, byte for byte', async () => {
      const events = await openEvents(adapter);
      const stream = sampleStream(unique('tenant'), 'task', 3);
      expect(await events.append(stream)).toEqual({ kind: 'stored' });
      expect(await events.read(stream[0]?.key ?? '', all)).toEqual(stream);
    });

    test('an append of nothing is stored', async () => {
      expect(await (await openEvents(adapter)).append([])).toEqual({ kind: 'stored' });
    });

    test('reads a range of sequences, both ends included, either way round, up to the limit', async () => {
      const events = await openEvents(adapter);
      const stream = sampleStream(unique('tenant'), 'task', 10);
      const key = stream[0]?.key ?? '';
      await events.append(stream);
      const read = async (from: number, to: number, limit: number, order: 'asc' | 'desc') =>
        (await events.read(key, { from, to, limit, order })).map(({ event }) => event.sequence);
      expect(await read(3, 6, 100, 'asc')).toEqual([3, 4, 5, 6]);
      expect(await read(3, 6, 100, 'desc')).toEqual([6, 5, 4, 3]);
      expect(await read(1, Number.MAX_SAFE_INTEGER, 4, 'asc')).toEqual([1, 2, 3, 4]);
      expect(await read(1, Number.MAX_SAFE_INTEGER, 4, 'desc')).toEqual([10, 9, 8, 7]);
      expect(await read(11, 20, 100, 'asc')).toEqual([]);
    });

    test('keys that begin alike, and other tenants, do not mix', async () => {
      const events = await openEvents(adapter);
      const tenant = unique('tenant');
      const streams = [sampleStream(tenant, 'task-1', 3), sampleStream(tenant, 'task-10', 3), sampleStream(`${tenant}x`, 'task-1', 3)];
      await events.append(inRounds(streams));
      for (const stream of streams) expect(await events.read(stream[0]?.key ?? '', all)).toEqual(stream);
      expect(await events.read(`${tenant}/task`, all)).toEqual([]);
    });

    test('a name is taken once: the second is told, and the first is unchanged (E1)', async () => {
      const events = await openEvents(adapter);
      const tenantId = unique('tenant');
      const first = sampleEvent({ tenantId, taskId: 'task', sequence: 1, text: 'first' });
      const second = sampleEvent({ tenantId, taskId: 'task', sequence: 1, text: 'second' });
      await events.append([first]);
      expect(await events.append([second])).toEqual({ kind: 'conflict', keys: new Set([first.key]) });
      expect(await events.append([first])).toEqual({ kind: 'conflict', keys: new Set([first.key]) });
      expect(await events.read(first.key, all)).toEqual([first]);
    });

    test('of a key in conflict a prefix is stored, nothing behind the taken name; of all others everything (E2)', async () => {
      const events = await openEvents(adapter);
      const tenantId = unique('tenant');
      const streams = ['taken', 'free-1', 'free-2'].map((taskId) => sampleStream(tenantId, taskId, 4));
      const other = sampleEvent({ tenantId, taskId: 'taken', sequence: 3, text: 'another writer was here first' });
      await events.append([other]);
      expect(await events.append(inRounds(streams))).toEqual({ kind: 'conflict', keys: new Set([other.key]) });
      const taken = await events.read(other.key, all);
      expect(taken).toEqual([...(streams[0] ?? []).slice(0, taken.length - 1), other]);
      expect(taken.length).toBeLessThanOrEqual(3);
      for (const stream of streams.slice(1)) expect(await events.read(stream[0]?.key ?? '', all)).toEqual(stream);
    });

    test('of two that append the same names at once, each key has one winner (E1)', async () => {
      const events = await openEvents(adapter);
      const tenantId = unique('tenant');
      const taskIds = Array.from({ length: 10 }, (_, i) => `task-${i}`);
      const by = (text: string) => taskIds.map((taskId) => sampleEvent({ tenantId, taskId, sequence: 1, text }));
      const outcomes = await Promise.all(['a', 'b', 'c'].map((text) => events.append(by(text))));
      const losers = outcomes.flatMap((outcome) => (outcome.kind === 'conflict' ? [...outcome.keys] : []));
      for (const taskId of taskIds) {
        const stored = await events.read(`${tenantId}/${taskId}`, all);
        expect(stored).toHaveLength(1);
        expect(losers.filter((key) => key === `${tenantId}/${taskId}`)).toHaveLength(2);
      }
    });

    test('a thousand events of many keys are one append', async () => {
      const events = await openEvents(adapter);
      const tenantId = unique('tenant');
      const streams = Array.from({ length: 100 }, (_, i) => sampleStream(tenantId, `task-${i}`, 10));
      expect(await events.append(inRounds(streams))).toEqual({ kind: 'stored' });
      for (const stream of [streams[0], streams[99]]) expect(await events.read(stream?.[0]?.key ?? '', all)).toEqual(stream);
    });
  });

  eventPageTests(name, adapter);
  eventTenantTests(name, adapter);
  if (adapter.crash !== undefined) eventCrashTests(name, timeoutMs, adapter.crash);
}

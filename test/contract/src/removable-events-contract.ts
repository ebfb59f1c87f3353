import type { RemovableEvents } from '@retrigger/ports/event-archive.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { unique } from './eventually.ts';
import { sampleEvent } from './samples.ts';

export type RemovableEventsAdapter = {
  open(): Promise<{ events: EventStore & RemovableEvents; close(): Promise<void> }>;
  timeoutMs: number;
};

/** What a store of events owes that lets first events go: V1. */
export function removableEventsContract(name: string, adapter: RemovableEventsAdapter): void {
  describe(`${name} removable events`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('first events go, the rest of their key and all other keys stay; doing it again changes nothing (V1)', async () => {
      const { events, close } = await adapter.open();
      onTestFinished(close);
      const [tenantId, count] = [unique('tenant'), 1_203];
      const of = (taskId: string, many: number) =>
        Array.from({ length: many }, (_, i) => sampleEvent({ tenantId, taskId, sequence: i + 1 }));
      await events.append(of('a', count));
      await events.append(of('b', 3));
      const sequences = async (taskId: string) =>
        (await events.read(`${tenantId}/${taskId}`, { from: 1, to: 10_000, limit: 5_000, order: 'asc' })).map(
          ({ event }) => event.sequence,
        );
      expect([await events.removeFirst(`${tenantId}/a`, 1_200), await sequences('a')]).toEqual([1_200, [1_201, 1_202, 1_203]]);
      expect([await events.removeFirst(`${tenantId}/a`, 1_200), await events.removeFirst(`${tenantId}/none`, 5)]).toEqual([0, 0]);
      expect([await sequences('a'), await sequences('b')]).toEqual([
        [1_201, 1_202, 1_203],
        [1, 2, 3],
      ]);
      expect(await events.append([sampleEvent({ tenantId, taskId: 'a', sequence: 1_200 })])).toEqual({ kind: 'stored' });
    });
  });
}

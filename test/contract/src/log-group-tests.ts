import { describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import type { LogAdapter } from './log-adapter.ts';
import { keyPerPartition, openLog } from './log-fixture.ts';
import { RecordingHandler, textRecord } from './recording-handler.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text-${i}`);

/** Groups beside each other, members beside each other, and lag. L4, L5. */
export function logGroupTests(name: string, adapter: LogAdapter): void {
  const { timeoutMs, deviations } = adapter;

  describe(`${name} log: groups`, { timeout: timeoutMs * 6 }, () => {
    test('each group sees everything, from the earliest', async () => {
      const { log, topic, group, consume } = await openLog(adapter, 2);
      const [first, second] = [new RecordingHandler(), new RecordingHandler()];
      await consume(first, `${group}-a`);
      await log().append(
        topic,
        texts(20).map((text) => textRecord(`tenant/${text}`, text)),
      );
      await eventually('all in the first group', timeoutMs, () => first.records.length >= 20);
      await consume(second, `${group}-b`);
      await eventually('all in the second group', timeoutMs, () => second.records.length >= 20);
      expect(second.texts().sort()).toEqual(texts(20).sort());
    });

    test('lag is what the group has not committed, over all partitions', async () => {
      const { log, topic, group, consume } = await openLog(adapter, 3);
      const keys = keyPerPartition(log(), topic);
      const isTaken = new Set<number>();
      const handler = new RecordingHandler(async ({ partition, records, commit }) => {
        const last = records.at(-1);
        if (isTaken.has(partition) && last !== undefined) await commit(last.offset + 1);
      });
      const lagIs = (records: number) => eventually(`lag ${records}`, timeoutMs, async () => (await log().lag(topic, group)) === records);
      await log().append(
        topic,
        keys.flatMap((key) => [textRecord(key, 'a'), textRecord(key, 'b')]),
      );
      await lagIs(6);
      isTaken.add(0);
      const consumer = await consume(handler);
      await eventually('all six', timeoutMs, () => handler.records.length >= 6);
      await lagIs(4);
      expect(await log().progress(topic, group), 'where each partition stands').toEqual([
        { partition: 0, committed: 2, end: 2 },
        { partition: 1, committed: 0, end: 2 },
        { partition: 2, committed: 0, end: 2 },
      ]);
      await consumer.stop();
      for (const partition of [1, 2]) isTaken.add(partition);
      await consume(handler);
      await lagIs(0);
    });

    if (deviations.oneConsumerPerGroup !== undefined) {
      test(`a second consumer of a group is refused (deviation: ${deviations.oneConsumerPerGroup})`, async () => {
        const { consume } = await openLog(adapter, 2);
        const first = await consume(new RecordingHandler());
        await expect(consume(new RecordingHandler())).rejects.toThrow('consumer');
        await first.stop();
        await expect(consume(new RecordingHandler())).resolves.toBeDefined();
      });
    } else {
      test('two members of a group share its partitions, each partition with one owner (L4)', async () => {
        const { log, topic, consume } = await openLog(adapter, 4);
        const [first, second] = [new RecordingHandler(), new RecordingHandler()];
        await consume(first);
        await consume(second);
        await eventually(
          'both own some',
          timeoutMs,
          () => first.owned.size > 0 && second.owned.size > 0 && first.owned.size + second.owned.size === 4,
        );
        await log().append(
          topic,
          texts(100).map((text) => textRecord(`tenant/${text}`, text)),
        );
        await eventually('all records', timeoutMs, () => first.records.length + second.records.length >= 100);
        expect([...first.texts(), ...second.texts()].sort()).toEqual(texts(100).sort());
        expect(first.owned.isDisjointFrom(second.owned)).toBe(true);
        expect([...first.violations, ...second.violations]).toEqual([]);
      });

      test('when a member leaves, the other takes its partitions and what it left uncommitted (L5)', async () => {
        const { log, topic, consume } = await openLog(adapter, 4);
        const idle = new RecordingHandler(async () => {});
        const staying = new RecordingHandler();
        const leaver = await consume(idle);
        await consume(staying);
        await eventually('both own some', timeoutMs, () => idle.owned.size > 0 && staying.owned.size > 0);
        await log().append(
          topic,
          keyPerPartition(log(), topic).map((key) => textRecord(key, key)),
        );
        await eventually('everything delivered', timeoutMs, () => idle.records.length + staying.records.length >= 4);
        await leaver.stop();
        await eventually('everything with the one that stays', timeoutMs, () => new Set(staying.texts()).size === 4);
        expect(staying.owned).toEqual(new Set([0, 1, 2, 3]));
        expect([...idle.violations, ...staying.violations]).toEqual([]);
      });
    }
  });
}

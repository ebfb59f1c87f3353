import type { CommitOffset } from '@retrigger/ports/log.ts';
import { describe, expect, test } from 'vitest';
import { eventually, gate } from './eventually.ts';
import type { LogAdapter } from './log-adapter.ts';
import { keyPerPartition, openLog } from './log-fixture.ts';
import { commitAll, RecordingHandler, textRecord } from './recording-handler.ts';

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/** What one owner sees: assignment, order, redelivery, and what its commits do. L4, L5. */
export function logConsumeTests(name: string, adapter: LogAdapter): void {
  const { timeoutMs } = adapter;

  describe(`${name} log: consume`, { timeout: timeoutMs * 6 }, () => {
    test('a member is told its partitions before their records, and that it lost them when it stops (L4)', async () => {
      const { log, topic, consume } = await openLog(adapter, 3);
      await log().append(topic, [textRecord('tenant/early', 'appended before anybody consumed')]);
      const handler = new RecordingHandler();
      const consumer = await consume(handler);
      await eventually('the record and all partitions', timeoutMs, () => handler.records.length === 1 && handler.owned.size === 3);
      expect(handler.violations).toEqual([]);
      await consumer.stop();
      expect(handler.owned).toEqual(new Set());
      expect(handler.assignments.at(-1)?.sign).toBe('-');
    });

    test('stopping waits for the batch that runs and takes its commit', async () => {
      const { log, topic, consume } = await openLog(adapter, 1);
      const entered = gate();
      const leave = gate();
      const first = new RecordingHandler(async (batch) => {
        entered.open();
        await leave.opened;
        await commitAll(batch);
      });
      const consumer = await consume(first);
      await log().append(topic, [textRecord('tenant/task', 'one')]);
      await entered.opened;
      let isStopped = false;
      const stopped = consumer.stop().then(() => {
        isStopped = true;
      });
      await new Promise(setImmediate);
      expect(isStopped).toBe(false);
      leave.open();
      await stopped;
      await log().append(topic, [textRecord('tenant/task', 'two')]);
      const second = new RecordingHandler();
      await consume(second);
      await eventually('the second record', timeoutMs, () => second.records.length > 0);
      expect(second.texts()).toEqual(['two']);
    });

    test('what was not committed comes again to the next owner, from the lowest uncommitted offset (L5)', async () => {
      const { log, topic, consume } = await openLog(adapter, 1);
      await log().append(
        topic,
        numbers(1, 10).map((text) => textRecord('tenant/task', text)),
      );
      const first = new RecordingHandler(async ({ records, commit }) => {
        const fourth = records.find((record) => record.offset === 3);
        if (fourth !== undefined) await commit(fourth.offset + 1);
      });
      const consumer = await consume(first);
      await eventually('all ten', timeoutMs, () => first.records.length >= 10);
      await consumer.stop();
      const second = new RecordingHandler();
      await consume(second);
      await eventually('six again', timeoutMs, () => second.records.length >= 6);
      expect(second.texts()).toEqual(numbers(5, 10));
    });

    test('an offset never goes back, whoever commits a lower one later', async () => {
      const { log, topic, consume } = await openLog(adapter, 1);
      await log().append(
        topic,
        numbers(1, 8).map((text) => textRecord('tenant/task', text)),
      );
      const first = new RecordingHandler(async ({ records, commit }) => {
        await commitAll({ partition: 0, records, commit });
        await commit(2);
      });
      const consumer = await consume(first);
      await eventually('all eight', timeoutMs, () => first.records.length >= 8);
      await consumer.stop();
      await log().append(topic, [textRecord('tenant/task', '9')]);
      const second = new RecordingHandler();
      await consume(second);
      await eventually('the ninth', timeoutMs, () => second.records.length > 0);
      expect(second.texts()).toEqual(['9']);
    });

    test('the commit of a partition that was revoked moves nothing, and does not count', async () => {
      const { log, topic, consume } = await openLog(adapter, 1);
      let late: CommitOffset = async () => true;
      const first = new RecordingHandler(async ({ commit }) => {
        late = commit;
      });
      const consumer = await consume(first);
      await log().append(
        topic,
        numbers(1, 3).map((text) => textRecord('tenant/task', text)),
      );
      await eventually('all three', timeoutMs, () => first.records.length >= 3);
      await consumer.stop();
      expect(await late(3).catch(() => false)).toBe(false);
      const second = new RecordingHandler();
      await consume(second);
      await eventually('all three again', timeoutMs, () => second.records.length >= 3);
      expect(second.texts()).toEqual(numbers(1, 3));
    });

    test('a batch that throws comes again until it does not; nothing behind it overtakes, other partitions go on', async () => {
      const { log, topic, consume } = await openLog(adapter, 2);
      const [bad = '', good = ''] = keyPerPartition(log(), topic);
      let throwsLeft = 2;
      const taken: string[] = [];
      const handler = new RecordingHandler(async (batch) => {
        if (batch.partition === 0 && throwsLeft > 0 && handler.texts(1).length < 5)
          throw new Error('not before the other partition is done');
        if (batch.partition === 0 && throwsLeft-- > 0) throw new Error('planted');
        taken.push(...batch.records.map(({ partition, offset }) => `${partition}:${offset}`));
        await commitAll(batch);
      });
      await consume(handler);
      for (const text of numbers(1, 5)) await log().append(topic, [textRecord(bad, text), textRecord(good, text)]);
      await eventually('all of both', timeoutMs * 2, () => taken.length >= 10);
      expect(taken.filter((place) => place.startsWith('0:'))).toEqual(['0:0', '0:1', '0:2', '0:3', '0:4']);
      expect(handler.texts(1)).toEqual(numbers(1, 5));
      const [first, second] = handler.batches.filter(({ partition }) => partition === 0);
      expect(second?.records[0]?.offset).toBe(first?.records[0]?.offset);
      expect(handler.violations).toEqual([]);
    });

    test('partitions run at once: one that is stuck holds up no other', async () => {
      const { log, topic, consume } = await openLog(adapter, 3);
      const keys = keyPerPartition(log(), topic);
      const leave = gate();
      const handler = new RecordingHandler(async (batch) => {
        if (batch.partition === 0) await leave.opened;
        await commitAll(batch);
      });
      await consume(handler);
      for (const text of numbers(1, 3)) {
        await log().append(
          topic,
          keys.map((key) => textRecord(key, text)),
        );
      }
      await eventually('the other partitions', timeoutMs, () => handler.texts(1).length === 3 && handler.texts(2).length === 3);
      leave.open();
      await eventually('the first partition', timeoutMs, () => handler.texts(0).length === 3);
      expect(handler.texts(0)).toEqual(numbers(1, 3));
      expect(handler.violations).toEqual([]);
    });
  });
}

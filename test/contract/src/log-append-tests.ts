import { describe, expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import type { LogAdapter } from './log-adapter.ts';
import { openLog } from './log-fixture.ts';
import { RecordingHandler, textOf, textRecord } from './recording-handler.ts';

/** What an append owes: L1 to L3, and where keys stand. */
export function logAppendTests(name: string, adapter: LogAdapter): void {
  const { timeoutMs } = adapter;

  describe(`${name} log: append`, { timeout: timeoutMs * 4 }, () => {
    test('a record comes out as it went in, with its place and time (L1)', async () => {
      const { log, topic, consume } = await openLog(adapter, 4);
      const handler = new RecordingHandler();
      await consume(handler);
      const given = [
        {
          key: 'tenant/ünïcode',
          value: Uint8Array.from([0, 255, 10, 13, 0, 128]),
          headers: { traceparent: '00-ab', 'source-topic': 'größe' },
        },
        { key: 'tenant/plain', value: new Uint8Array(100_000).fill(7), headers: {} },
      ];
      await log().append(topic, given);
      const records = await eventually('both records', timeoutMs, () => handler.records.length === 2 && handler.records);
      for (const { key, value, headers } of given) {
        const record = records.find((found) => found.key === key);
        expect(record).toMatchObject({ topic, key, headers, partition: log().partitionOf(topic, key), offset: expect.any(Number) });
        expect(Buffer.compare(Buffer.from(record?.value ?? []), Buffer.from(value))).toBe(0);
        expect(record?.headers).toEqual(headers);
        expect(Number.isSafeInteger(record?.at)).toBe(true);
      }
      expect(handler.violations).toEqual([]);
    });

    test('an append of nothing resolves', async () => {
      const { log, topic } = await openLog(adapter, 1);
      await expect(log().append(topic, [])).resolves.toBeUndefined();
    });

    test('one append may hold records of many partitions', async () => {
      const { log, topic, consume } = await openLog(adapter, 8);
      const handler = new RecordingHandler();
      await consume(handler);
      const texts = Array.from({ length: 300 }, (_, i) => `text-${i}`);
      await log().append(
        topic,
        texts.map((text, i) => textRecord(`tenant/task-${i % 50}`, text)),
      );
      await eventually('all records', timeoutMs, () => handler.records.length >= texts.length);
      expect(handler.texts().sort()).toEqual([...texts].sort());
    });

    test('records of one key stand in one partition in the order of their appends, called without waiting (L2)', async () => {
      const { log, topic, consume } = await openLog(adapter, 4);
      const handler = new RecordingHandler();
      await consume(handler);
      const keys = Array.from({ length: 10 }, (_, i) => `tenant/task-${i}`);
      const appends: Promise<void>[] = [];
      for (let i = 0; i < 40; i += 2) {
        for (const key of keys) appends.push(log().append(topic, [textRecord(key, String(i)), textRecord(key, String(i + 1))]));
      }
      await Promise.all(appends);
      await eventually('all records', timeoutMs, () => handler.records.length >= 400);
      for (const key of keys) {
        const own = handler.records.filter((record) => record.key === key);
        expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set([log().partitionOf(topic, key)]));
        expect(own.map(textOf)).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
      }
    });

    test('offsets grow and append times never go back inside a partition (L3)', async () => {
      const { log, topic, consume } = await openLog(adapter, 2);
      const handler = new RecordingHandler();
      await consume(handler);
      for (let i = 0; i < 30; i++) await log().append(topic, [textRecord(`tenant/task-${i}`, String(i))]);
      await eventually('all records', timeoutMs, () => handler.records.length >= 30);
      for (const partition of [0, 1]) {
        const own = handler.records.filter((record) => record.partition === partition);
        for (const [i, record] of own.slice(1).entries()) {
          expect(record.offset).toBeGreaterThan(own[i]?.offset ?? -1);
          expect(record.at).toBeGreaterThanOrEqual(own[i]?.at ?? 0);
        }
      }
    });

    test('keys spread over all partitions, each always in the same one', async () => {
      const { log, topic } = await openLog(adapter, 8);
      expect(log().partitionCount(topic)).toBe(8);
      const keys = Array.from({ length: 400 }, (_, i) => `tenant/task-${i}`);
      const partitions = keys.map((key) => log().partitionOf(topic, key));
      expect(new Set(partitions)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
      expect(keys.map((key) => log().partitionOf(topic, key))).toEqual(partitions);
    });

    if (adapter.deviations.volatile === undefined) {
      test('records, offsets, times and the places of keys outlive the log that wrote them (L1, L3)', async () => {
        const { log, topic, consume, reopen } = await openLog(adapter, 2);
        const keys = Array.from({ length: 20 }, (_, i) => `tenant/task-${i}`);
        await log().append(
          topic,
          keys.map((key) => textRecord(key, 'before')),
        );
        const places = keys.map((key) => log().partitionOf(topic, key));
        await reopen();
        expect(keys.map((key) => log().partitionOf(topic, key))).toEqual(places);
        await log().append(
          topic,
          keys.map((key) => textRecord(key, 'after')),
        );
        const handler = new RecordingHandler();
        await consume(handler);
        await eventually('all records', timeoutMs, () => handler.records.length >= 40);
        for (const key of keys) {
          const [before, after, ...more] = handler.records.filter((record) => record.key === key);
          expect([before, after].map((record) => record && textOf(record))).toEqual(['before', 'after']);
          expect(more).toEqual([]);
          expect(after?.offset).toBeGreaterThan(before?.offset ?? -1);
          expect(after?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
        }
      });
    }
  });
}

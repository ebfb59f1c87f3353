import { describe, expect, onTestFinished, test } from 'vitest';
import { type CrashTarget, openAfterCrash, runUntilKilled } from './crash-target.ts';
import { crashRecords } from './crash-writes.ts';
import { eventually, unique } from './eventually.ts';
import type { LogAdapter } from './log-adapter.ts';
import { RecordingHandler, textOf } from './recording-handler.ts';

/** The topic that a crash module makes in its log. A place is new for each test, or this topic empty in it. */
export const CRASH_TOPIC = 'contract-crash';

/** Durability of the log against SIGKILL: L1, L2. */
export function logCrashTests(name: string, { timeoutMs }: LogAdapter, crash: CrashTarget): void {
  describe(`${name} log: killed`, { timeout: timeoutMs * 6 }, () => {
    test('every acknowledged append is there after a kill inside the next one, each key in order (L1, L2)', async () => {
      const place = await crash.place();
      const acked = await runUntilKilled(
        { scenario: 'emit', name: CRASH_TOPIC, point: 'within-emit', time: 4, place, module: crash.module.href },
        timeoutMs,
      );
      expect(acked).toEqual([1, 2, 3]);
      const { log, close } = await openAfterCrash(crash, place);
      if (log === undefined) throw new Error('the crash module opens no log');
      const handler = new RecordingHandler();
      const consumer = await log.consume(CRASH_TOPIC, unique('contract-group'), handler);
      onTestFinished(async () => {
        await consumer.stop();
        await close();
      });
      const expected = acked.flatMap((number) => crashRecords(number));
      await eventually('what was acknowledged', timeoutMs, () => handler.records.length >= expected.length);
      for (const key of new Set(expected.map((record) => record.key))) {
        const given = expected.filter((record) => record.key === key).map(textOf);
        const found = handler.records.filter((record) => record.key === key).map(textOf);
        expect(found.slice(0, given.length)).toEqual(given);
      }
    });
  });
}

import { describe, expect, onTestFinished, test } from 'vitest';
import { type CrashTarget, openAfterCrash, runUntilKilled } from './crash-target.ts';
import { CRASH_TASKS, PER_WRITE } from './crash-writes.ts';
import { unique } from './eventually.ts';
import { sampleStream } from './samples.ts';

/** Durability of events against SIGKILL: E2, E3. */
export function eventCrashTests(name: string, timeoutMs: number, crash: CrashTarget): void {
  describe(`${name} event store: killed`, { timeout: timeoutMs * 4 }, () => {
    test.each([1, 3])('killed inside append %i, it holds what was acknowledged and a prefix of each key (E2, E3)', async (time) => {
      const place = await crash.place();
      const tenant = unique('tenant');
      const acked = await runUntilKilled(
        { scenario: 'events', name: tenant, point: 'within-events', time, place, module: crash.module.href },
        timeoutMs,
      );
      expect(acked).toHaveLength(time - 1);
      const { events, close } = await openAfterCrash(crash, place);
      onTestFinished(close);
      if (events === undefined) throw new Error('the crash module opens no event store');
      for (const taskId of CRASH_TASKS) {
        const stored = await events.read(`${tenant}/${taskId}`, { from: 1, to: 1_000, limit: 1_000, order: 'asc' });
        expect(stored).toEqual(sampleStream(tenant, taskId, stored.length));
        expect(stored.length).toBeGreaterThanOrEqual(acked.length * PER_WRITE);
        expect(stored.length).toBeLessThanOrEqual(time * PER_WRITE);
      }
    });
  });
}

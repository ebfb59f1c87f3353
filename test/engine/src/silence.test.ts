import { wakeCommand } from '@retrigger/domain/task/react.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, MORNING, Owner } from './owner.ts';
import { Trial } from './wake-up-trial.ts';

const KEY = 'acme/deploy';
const LATE = MORNING + 120_000;

/** A task that has run since the morning, its executor heard once; then a Wake that its sender thought right. */
async function started() {
  const stores = new FakeStores();
  const owner = new Owner(stores);
  await owner.take(
    inLog([
      command('c1', 'deploy', { type: 'CreateTask', body: { type: 'job' } }),
      command('c2', 'deploy', { type: 'TriggerTask', body: {} }),
    ]),
  );
  const running = stores.snapshots.get(KEY)?.state as TaskState | undefined;
  const executionId = running?.execution?.executionId ?? '';
  await owner.take(inLog([command('c3', 'deploy', { type: 'StartExecution', body: { executionId } })], 2));
  const wakeAt = stores.snapshots.get(KEY)?.wakeAt ?? 0;
  const wake = wakeCommand('acme', 'deploy', wakeAt, MORNING, LATE);
  const beat = command('c4', 'deploy', { type: 'HeartbeatExecution', body: { executionId } });
  return { stores, owner, wake, beat };
}

const at = (offset: number, ms: number, ...commands: Parameters<typeof inLog>[0]) =>
  inLog(commands, offset).map((record) => ({ ...record, at: ms }));

describe('a Wake that calls an executor silent', () => {
  test('ends the attempt when the owner knows no better', async () => {
    const { stores, owner, wake } = await started();
    await owner.take(at(3, LATE, wake), () => MORNING);
    expect(stores.types(KEY).at(-1)).toBe('TaskFailed');
  });

  test('does nothing when it has overtaken a heartbeat of its own batch (B5)', async () => {
    const { stores, owner, wake, beat } = await started();
    await owner.take(at(3, LATE, beat, wake), () => MORNING);
    expect(stores.types(KEY).at(-1)).toBe('TaskStarted');
  });

  test('does nothing when the owner has heard the executor since, or has just become the owner', async () => {
    const { stores, owner, wake } = await started();
    await owner.take(at(3, LATE, wake), () => LATE - 59_999);
    expect(stores.types(KEY).at(-1)).toBe('TaskStarted');
  });

  describe('decided by a new owner whose clock is five minutes behind the log’s (K5)', () => {
    const MINUTE = 60_000;
    const takeOver = async () => {
      const { stores, owner, wake } = await started();
      const { clock, wakeUps } = new Trial();
      clock.set(LATE - 5 * MINUTE);
      await wakeUps.assigned([0]);
      const decide = (ms: number) => owner.take(at(3, ms, wake), (key, logAt) => wakeUps.silentSince(key, 0, logAt));
      return { stores, clock, decide };
    };

    test('does nothing before that one has given it a full time-out', async () => {
      const { stores, clock, decide } = await takeOver();
      await clock.advance(MINUTE - 1);
      await decide(LATE + MINUTE - 1);
      expect(stores.types(KEY).at(-1)).toBe('TaskStarted');
    });

    test('ends the attempt after it', async () => {
      const { stores, clock, decide } = await takeOver();
      await clock.advance(MINUTE);
      await decide(LATE + MINUTE);
      expect(stores.types(KEY).at(-1)).toBe('TaskFailed');
    });
  });
});

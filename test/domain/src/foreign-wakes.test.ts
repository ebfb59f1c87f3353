import { wakeCommand } from '@retrigger/domain/task/react.ts';
import { describe, expect, test } from 'vitest';
import { createWith, decided, MINUTE, played, wake, wakeAt } from './due-samples.ts';
import { MORNING } from './task-history.ts';

describe('a Wake for another due time than the task’s next (U5)', () => {
  const foreign = (dueAt: number, sentAt: number) => wakeCommand('acme', 'deploy', MORNING + dueAt, null, MORNING + sentAt);

  test('does nothing, also when something is due', () => {
    const due = played([createWith({ schedule: { strategy: 'delayed', delay: '5m' } }), 0]);
    expect(wakeAt(due)).toBe(MORNING + 5 * MINUTE);
    expect(decided(due, foreign(MINUTE, 6 * MINUTE), 6 * MINUTE).decision).toEqual({ kind: 'nothing' });
    expect(wake(due, 6 * MINUTE).stored?.event.eventType).toBe('TaskTriggered');
  });

  test('that comes again does not end the run which it began', () => {
    const begun = wake(played([createWith({ schedule: { strategy: 'immediate' }, deadline: '5s' }), 0]), 0);
    expect(begun.stored?.event.eventType).toBe('TaskTriggered');
    expect(decided(begun.history, foreign(0, 0), MINUTE).decision).toEqual({ kind: 'nothing' });
  });
});

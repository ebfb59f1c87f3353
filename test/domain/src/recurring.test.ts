import type { Schedule } from '@retrigger/domain/schedule.ts';
import { describe, expect, test } from 'vitest';
import { command, completed, failed, trigger } from './command-samples.ts';
import { at, createWith, decided, MINUTE, played, wake, wakeAt } from './due-samples.ts';
import { runningExecution } from './task-history.ts';

describe('a recurring task', () => {
  const everyMinute: Schedule = { strategy: 'cron', cron: '* * * * *' };

  test('goes from the end of a run straight to Scheduled, completed or failed', () => {
    const running = wake(played([createWith({ schedule: everyMinute }), 1_000]), MINUTE).history;
    for (const end of [completed, failed]) {
      const { history } = decided(running, end(runningExecution(running)), MINUTE + 5_000);
      expect(history.state).toMatchObject({ status: 'Scheduled', nextExecution: at(2 * MINUTE), schedule: everyMinute });
    }
  });

  test('doesn’t drift: each run is due at its nominal time, however late the one before began', () => {
    let history = played([createWith({ schedule: everyMinute }), 1_000]);
    for (let minute = 1; minute <= 5; minute++) {
      const { stored, history: running } = wake(history, minute * MINUTE + 700 * minute);
      expect(stored?.event).toMatchObject({ metadata: { scheduledFor: at(minute * MINUTE), nextExecution: at((minute + 1) * MINUTE) } });
      history = decided(running, completed(runningExecution(running), `c-${minute}`), minute * MINUTE + 10_000).history;
    }
  });

  test('leaves out what is due while it runs, and an event says so', () => {
    const running = wake(played([createWith({ schedule: everyMinute }), 1_000]), MINUTE).history;
    const { stored, history } = wake(running, 2 * MINUTE);
    expect(stored?.event).toMatchObject({
      eventType: 'TaskRescheduled',
      newState: 'Running',
      metadata: { skipped: { dueAt: at(2 * MINUTE), dueTimes: 1, why: 'overlap' } },
    });
    expect(history.state).toMatchObject({ status: 'Running', nextExecution: at(3 * MINUTE), execution: running.state?.execution });
  });

  test('that runs through many due times leaves them out in one event, not in one for each', () => {
    const running = wake(played([createWith({ schedule: everyMinute }), 1_000]), MINUTE).history;
    const { stored, history } = wake(running, 601 * MINUTE + 1);
    expect(stored?.event).toMatchObject({ metadata: { skipped: { dueAt: at(2 * MINUTE), dueTimes: 600, why: 'overlap' } } });
    expect(history.state?.nextExecution).toBe(at(602 * MINUTE));
  });

  test('is triggered by hand without losing its next run', () => {
    const scheduled = played([createWith({ schedule: everyMinute }), 1_000]);
    const { history } = decided(scheduled, trigger(), 2_000);
    expect(history.state).toMatchObject({ status: 'Running', nextExecution: at(MINUTE), schedule: everyMinute });
  });

  test('that was missed for an hour fires late, once, says so, and goes on from the schedule', () => {
    const { stored } = wake(played([createWith({ schedule: everyMinute }), 1_000]), 61 * MINUTE + 30_000);
    expect(stored?.event).toMatchObject({
      eventType: 'TaskTriggered',
      metadata: { scheduledFor: at(MINUTE), nextExecution: at(62 * MINUTE), missed: { lateMs: 60 * MINUTE + 30_000, dueTimes: 61 } },
    });
  });

  test('that would rather leave out what was missed says that in an event', () => {
    const { stored } = wake(played([createWith({ schedule: everyMinute, onMissed: 'skip' }), 1_000]), 61 * MINUTE + 30_000);
    expect(stored?.event).toMatchObject({
      eventType: 'TaskRescheduled',
      metadata: { skipped: { why: 'missed' }, nextExecution: at(62 * MINUTE) },
    });
  });

  test('ends with a cancel', () => {
    const { history } = decided(played([createWith({ schedule: everyMinute }), 1_000]), command({ type: 'CancelTask', body: {} }), 2_000);
    expect(history.state).toMatchObject({ status: 'Cancelled', schedule: null, nextExecution: null });
    expect(wakeAt(history)).toBeNull();
  });
});

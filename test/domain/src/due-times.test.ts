import type { Schedule } from '@retrigger/domain/schedule.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { wakeCommand } from '@retrigger/domain/task/react.ts';
import { describe, expect, test } from 'vitest';
import { command, completed, create, failed, started, trigger } from './command-samples.ts';
import { at, createWith, decided, MINUTE, played, report, reschedule, wake, wakeAt } from './due-samples.ts';
import { MORNING, NO_HISTORY, runningExecution } from './task-history.ts';

describe('a reschedule', () => {
  test('of a failed task with delayed 5m makes it Scheduled, due in 5 minutes, and it runs then and not before', () => {
    const history = played(
      [create(), 0],
      [trigger(), 0],
      [report(failed), 1_000],
      [reschedule({ strategy: 'delayed', delay: '5m' }), 2_000],
    );
    expect(history.state).toMatchObject({ status: 'Scheduled', nextExecution: at(5 * MINUTE + 2_000), retryCount: 0 });
    expect(wakeAt(history)).toBe(MORNING + 5 * MINUTE + 2_000);
    expect(wake(history, 5 * MINUTE + 1_999).decision).toEqual({ kind: 'nothing' });
    expect(wake(history, 5 * MINUTE + 2_000).stored?.event).toMatchObject({
      eventType: 'TaskTriggered',
      newState: 'Running',
      metadata: { scheduledFor: at(5 * MINUTE + 2_000), attempt: 1 },
    });
  });

  test('fires once: a second Wake finds nothing due (U1)', () => {
    const due = played([createWith({ schedule: { strategy: 'delayed', delay: '1s' } }), 0]);
    const first = wake(due, 1_000);
    expect(first.stored?.event.eventType).toBe('TaskTriggered');
    expect(decided(first.history, wakeCommand('acme', 'deploy', MORNING + 1_000, null, MORNING + 1_001), 1_001).decision).toEqual({
      kind: 'nothing',
    });
  });

  test('to now runs however late, also for a task that would rather leave out what was missed', () => {
    const body = { onMissed: 'skip' } as const;
    const late = wake(played([createWith(body), 0], [reschedule({ strategy: 'immediate' }), 0]), 5 * MINUTE);
    expect(late.stored?.event).toMatchObject({ eventType: 'TaskTriggered', metadata: { missed: { lateMs: 5 * MINUTE, dueTimes: 1 } } });
    const planned = wake(played([createWith(body), 0], [reschedule({ strategy: 'delayed', delay: '1m' }), 0]), 6 * MINUTE);
    expect(planned.stored?.event).toMatchObject({ eventType: 'TaskCancelled', metadata: { reason: expect.stringContaining('missed') } });
  });

  test('that the worker can’t compute is refused, and holds up nobody', () => {
    const unknown: Schedule = { strategy: 'cron', cron: '@daily', timeZone: 'Gone/Zone' };
    expect(decided(played([create(), 0]), reschedule(unknown)).stored?.event).toMatchObject({
      eventType: 'CommandRefused',
      newState: 'Draft',
      metadata: { code: 'invalid_request', detail: expect.stringContaining('timeZone: unknown time zone') },
    });
    expect(decided(NO_HISTORY, createWith({ schedule: unknown })).decision).toMatchObject({
      kind: 'answered',
      outcome: { kind: 'refused' },
    });
  });

  test('says the new schedule and the previous one in full, and answers with both', () => {
    const first: Schedule = { strategy: 'cron', cron: '0 9 * * *', timeZone: 'Europe/Berlin' };
    const history = played([create(), 0], [reschedule(first), 0]);
    const { stored, history: after } = decided(history, reschedule({ strategy: 'at', at: at(MINUTE) }, { reason: 'sooner' }, 'c-2'), 0);
    expect(stored?.event).toMatchObject({
      eventType: 'TaskRescheduled',
      metadata: {
        strategy: 'at',
        schedule: { strategy: 'at', at: at(MINUTE) },
        previousSchedule: first,
        nextExecution: at(MINUTE),
        reason: 'sooner',
      },
    });
    expect(stored && taskDecider.answer(stored.event, after.state)).toEqual({
      kind: 'accepted',
      answer: { taskId: 'deploy', strategy: 'at', previousSchedule: first, nextExecution: at(MINUTE), delayApplied: '1m' },
    });
  });

  test('with exponential_backoff counts the failed attempts: 2 of them and 1m is 4m', () => {
    const moves: Parameters<typeof played> = [[create(), 0]];
    for (const round of [1, 2])
      moves.push([trigger({ commandId: `c-${round}` }), round], [(history) => failed(runningExecution(history), `f-${round}`), round]);
    const { stored, history } = decided(played(...moves), reschedule({ strategy: 'exponential_backoff', baseDelay: '1m' }), 10);
    expect(history.state?.nextExecution).toBe(at(4 * MINUTE + 10));
    expect(stored && taskDecider.answer(stored.event, history.state)).toMatchObject({
      answer: { delayApplied: '4m', calculationDetails: { base: '1m', retryCount: 2, factor: 4, capped: false } },
    });
  });

  test('changes only the schedule unless a new context is given', () => {
    const history = played([create(), 0], [reschedule({ strategy: 'delayed', delay: '1h' }), 0]);
    expect(history.state?.context).toEqual({ region: 'eu' });
    expect(decided(history, reschedule({ strategy: 'immediate' }, { context: { region: 'us' } }, 'c-2')).history.state?.context).toEqual({
      region: 'us',
    });
  });

  test('of a running task needs force, which ends the execution as cancelled; its late report is stale', () => {
    const running = played([create(), 0], [trigger(), 0]);
    expect(decided(running, reschedule({ strategy: 'immediate' })).stored?.event).toMatchObject({
      metadata: { code: 'task_already_running' },
    });
    const { history } = decided(running, reschedule({ strategy: 'immediate' }, { force: true }));
    expect(history.state).toMatchObject({ status: 'Scheduled', execution: null, lastExecution: { status: 'Cancelled' } });
    expect(decided(history, completed(runningExecution(running))).stored?.event).toMatchObject({
      eventType: 'CommandRefused',
      metadata: { code: 'stale_execution', detail: expect.stringContaining('forced reschedule') },
    });
  });

  test('leaves earlier executions and events as they are', () => {
    const before = played([create(), 0], [trigger(), 0], [report(completed), 1]);
    const { history } = decided(before, reschedule({ strategy: 'immediate' }), 2);
    expect(history.events.slice(0, before.events.length)).toEqual(before.events);
    expect(history.state?.lastExecution).toEqual(before.state?.lastExecution);
  });

  test.each(['Draft', 'Failed', 'Completed', 'Cancelled'])('is possible from %s', (status) => {
    const ends: Record<string, Parameters<typeof played>> = {
      Draft: [],
      Failed: [
        [trigger(), 0],
        [report(failed), 1],
      ],
      Completed: [
        [trigger(), 0],
        [report(completed), 1],
      ],
      Cancelled: [[command({ type: 'CancelTask', body: {} }), 0]],
    };
    const history = played([create(), 0], ...(ends[status] ?? []));
    expect(history.state?.status).toBe(status);
    expect(decided(history, reschedule({ strategy: 'delayed', delay: '1m' }), 2).history.state?.status).toBe('Scheduled');
  });
});

describe('a retry', () => {
  const retry = { maxAttempts: 3, baseDelay: '10s', jitter: 'none' } as const;

  test('follows the policy: base, then twice that, then the run has failed; the runId stays', () => {
    let history = played([createWith({ retry }), 0], [trigger(), 0]);
    const runId = history.state?.execution?.runId;
    for (const [attempt, delayMs] of [
      [1, 10_000],
      [2, 20_000],
    ] as const) {
      const now = history.head.at - MORNING;
      const { stored, history: between } = decided(history, failed(runningExecution(history), `f-${attempt}`), now);
      expect(stored?.event).toMatchObject({
        newState: 'Scheduled',
        metadata: { attempt, willRetry: true, nextExecution: at(now + delayMs) },
      });
      history = wake(between, now + delayMs).history;
      expect(history.state?.execution).toMatchObject({ attempt: attempt + 1, runId });
    }
    const { stored } = decided(history, failed(runningExecution(history), 'f-3'), history.head.at - MORNING);
    expect(stored?.event).toMatchObject({ newState: 'Failed', metadata: { attempt: 3, willRetry: false } });
  });

  test('is left out when the executor says that it is of no use', () => {
    const running = played([createWith({ retry }), 0], [trigger(), 0]);
    const body = { executionId: runningExecution(running), error: { code: 'failed', message: 'no' }, retryable: false };
    expect(decided(running, command({ type: 'FailExecution', body })).stored?.event).toMatchObject({
      newState: 'Failed',
      metadata: { willRetry: false },
    });
  });

  test('is given up when somebody triggers, reschedules or cancels meanwhile', () => {
    const between = played([createWith({ retry }), 0], [trigger(), 0], [report(failed), 0]);
    for (const next of [
      trigger({ commandId: 'c-2' }),
      reschedule({ strategy: 'delayed', delay: '1h' }),
      command({ type: 'CancelTask', body: {} }),
    ])
      expect(decided(between, next, 1).history.state?.pendingRetry).toBeNull();
  });
});

describe('a deadline', () => {
  test('counts from Running, so that an execution nobody takes ends too, and the policy applies', () => {
    const running = played(
      [createWith({ deadline: '30s', retry: { maxAttempts: 2, baseDelay: '1s', jitter: 'none' } }), 0],
      [trigger(), 0],
    );
    expect(wakeAt(running)).toBe(MORNING + 30_000);
    expect(wake(running, 29_999).decision).toEqual({ kind: 'nothing' });
    expect(wake(running, 30_000).stored?.event).toMatchObject({
      eventType: 'TaskFailed',
      metadata: { error: { code: 'deadline_exceeded' }, willRetry: true, nextExecution: at(31_000) },
    });
  });

  test('makes a later report stale, and says that it was overdue', () => {
    const running = played([createWith({ deadline: '30s' }), 0], [trigger(), 0]);
    const overdue = wake(running, 30_000).history;
    expect(overdue.state?.status).toBe('Failed');
    for (const late of [completed, failed])
      expect(decided(overdue, late(runningExecution(running)), 31_000).stored?.event).toMatchObject({
        metadata: { code: 'stale_execution', detail: expect.stringContaining('overdue (deadline_exceeded)') },
      });
  });
});

describe('a silent executor', () => {
  const running = played([create(), 0], [trigger(), 0], [report(started), 1_000]);

  test('fails the attempt 60 s after its last sign of life', () => {
    expect(wakeAt(running)).toBe(MORNING + 61_000);
    expect(wake(running, 61_000).stored?.event).toMatchObject({
      eventType: 'TaskFailed',
      metadata: { error: { code: 'heartbeat_timeout' } },
    });
    expect(wake(running, 61_000, MORNING + 30_000).decision).toEqual({ kind: 'nothing' });
    expect(wake(running, 90_000, MORNING + 30_000).stored?.event.eventType).toBe('TaskFailed');
  });

  test('is not waited for before its first report', () => {
    expect(wakeAt(played([create(), 0], [trigger(), 0]))).toBeNull();
  });
});

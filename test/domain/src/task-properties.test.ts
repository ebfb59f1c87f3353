import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { describe, expect, test } from 'vitest';
import { forRandomHistories, lookup, play } from './random-histories.ts';
import { step } from './task-history.ts';

const ENDS: TaskEvent['eventType'][] = ['TaskCompleted', 'TaskFailed', 'TaskCancelled'];

describe('a task, for random command histories', () => {
  test('never two executions at once: each ends before the next begins (T4)', () => {
    forRandomHistories((list) => {
      let open: string | null = null;
      const begun = new Set<string>();
      for (const { event } of play(list).events) {
        if (event.eventType === 'TaskTriggered') {
          expect(open).toBeNull();
          open = event.metadata.executionId;
          expect(begun.has(open)).toBe(false);
          begun.add(open);
        } else if (
          ENDS.includes(event.eventType) ||
          (event.eventType === 'TaskRescheduled' && event.metadata.cancelledExecution !== undefined)
        )
          open = null;
      }
    });
  });

  test('the task is Running exactly while it has an execution', () => {
    forRandomHistories((list) =>
      play(list, ({ history }) => expect(history.state?.execution !== null).toBe(history.state?.status === 'Running')),
    );
  });

  test('only the current execution is reported on (T5)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored }, _, before) => {
        const event = stored?.event;
        if (event?.eventType === 'TaskStarted' || event?.eventType === 'TaskCompleted' || event?.eventType === 'TaskFailed')
          expect(event.metadata.executionId).toBe(before.state?.execution?.executionId);
      });
    });
  });

  test('an execution starts at most once and ends at most once (T6)', () => {
    forRandomHistories((list) => {
      const reports = play(list).events.flatMap(({ event }) =>
        event.eventType === 'TaskStarted' || event.eventType === 'TaskCompleted' || event.eventType === 'TaskFailed'
          ? [`${event.eventType === 'TaskStarted' ? 'start' : 'end'} ${event.metadata.executionId}`]
          : [],
      );
      expect(new Set(reports).size).toBe(reports.length);
    });
  });

  test('a report sent again right after it was taken changes nothing and is answered the same (T6)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored, history }, sent, before, at) => {
        if (
          stored === undefined ||
          stored.event.eventType === 'CommandRefused' ||
          before.state === undefined ||
          !sent.type.endsWith('Execution')
        )
          return;
        const again = step(history, { ...sent, commandId: 'c-again' }, at);
        expect(again.stored).toBeUndefined();
        expect(again.decision).toEqual({ kind: 'answered', outcome: taskDecider.answer(stored.event, history.state) });
      });
    });
  });

  test('only the owner, an admin or the cluster changes a task (P1)', () => {
    forRandomHistories((list) => {
      for (const { event } of play(list).events)
        if (event.actor.id === 'eve' && event.eventType !== 'CommandRefused') expect(event.eventType).toBe('TaskCreated');
    });
  });

  test('nothing fires before its time (U1)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored }, sent, before) => {
        if (stored === undefined || sent.type !== 'Wake') return;
        const due = lookup(before);
        if (due === undefined || due.wakeAt === null || due.wakeKind === 'check') return; // conditions have no time
        expect(due.wakeAt).toBeLessThanOrEqual(Date.parse(stored.event.timestamp));
      });
    });
  });

  test('a Wake for what is due always does something (U2)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored }, sent, before, at) => {
        const due = lookup(before);
        if (sent.type !== 'Wake' || due === undefined || due.wakeAt === null || due.wakeAt > Math.max(at, before.head.at)) return;
        if (due.wakeKind === 'check' || sent.body.wakeAt !== due.wakeAt) return; // U5
        expect(stored).toBeDefined();
      });
    });
  });

  test('a task is Scheduled exactly while it is due, will be, or waits', () => {
    forRandomHistories((list) => {
      play(list, ({ history }) => {
        const { status, schedule, pendingRetry, nextExecution } = history.state ?? {};
        if (status === 'Scheduled')
          expect(pendingRetry ?? nextExecution ?? (schedule?.strategy === 'conditional' ? 'waits' : null)).not.toBeNull();
        else if (status !== 'Running') expect([schedule, pendingRetry, nextExecution]).toEqual([null, null, null]);
      });
    });
  });

  test('attempts of a run follow each other by one and share its runId; a new run begins at 1', () => {
    forRandomHistories((list) => {
      let previous: { runId: string; attempt: number } | undefined;
      for (const { event } of play(list).events) {
        if (event.eventType !== 'TaskTriggered') continue;
        const { runId, attempt } = event.metadata;
        expect(attempt).toBe(runId === previous?.runId ? previous.attempt + 1 : 1);
        expect(attempt).toBeLessThanOrEqual(3);
        previous = { runId, attempt };
      }
    });
  });
});

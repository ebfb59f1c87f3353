import type { JsonObject } from '../json.ts';
import type { Outcome, RefusalCode } from '../refusal.ts';
import { refused } from '../refusal.ts';
import { claimedView } from './claim.ts';
import { HEARTBEAT_TIMEOUT, runningAnswer } from './decide-report.ts';
import type { TaskEvent } from './events.ts';
import type { TaskState } from './state.ts';
import { taskView } from './view.ts';

/** The answer that an event gives to whoever sent its command; `state` is the state after it. Proposed dependencies are answered when they are confirmed or refused. */
export function answer(event: TaskEvent, state: TaskState | undefined): Outcome | { kind: 'deferred' } {
  switch (event.eventType) {
    case 'CommandRefused': {
      const { code, detail, more } = event.metadata;
      return refused(code as RefusalCode, detail, more);
    }
    case 'TaskTriggered': {
      const { executionId, runId, estimatedCompletion, conditions } = event.metadata;
      const message = 'Task triggered';
      return accepted({
        executionId,
        runId,
        taskId: event.taskId,
        estimatedCompletion,
        message,
        ...(conditions === undefined ? {} : { conditions }),
      });
    }
    case 'TaskRescheduled': {
      const { strategy, previousSchedule, nextExecution, delayApplied, calculationDetails } = event.metadata;
      const details = calculationDetails === undefined ? {} : { calculationDetails };
      return accepted({ taskId: event.taskId, strategy, previousSchedule, nextExecution, delayApplied, ...details } as JsonObject);
    }
    case 'TaskStarted':
      if (!state?.execution) return accepted({ heartbeatTimeout: HEARTBEAT_TIMEOUT });
      return accepted(event.metadata.claim === undefined ? runningAnswer(state, state.execution) : claimedView(state, state.execution));
    case 'TaskCompleted':
    case 'TaskFailed':
      return accepted({ heartbeatTimeout: HEARTBEAT_TIMEOUT });
    case 'DataErased':
      return accepted({ subject: event.metadata.subject, erased: true, eventId: event.eventId });
    case 'DependenciesProposed':
      return { kind: 'deferred' };
    case 'TaskCreated':
    case 'TaskChanged':
    case 'DependenciesChanged':
    case 'TaskCancelled':
      if (state === undefined) throw new Error(`${event.eventType} leaves no task`);
      return accepted(taskView(state));
  }
}

const accepted = (data: JsonObject): Outcome => ({ kind: 'accepted', answer: data });

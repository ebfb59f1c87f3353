import type { JsonObject } from '../json.ts';
import type { Outcome, RefusalCode } from '../refusal.ts';
import { refused } from '../refusal.ts';
import { reportAnswer } from './decide-report.ts';
import type { TaskEvent } from './events.ts';
import type { TaskState } from './state.ts';
import { taskView } from './view.ts';

/** The answer that an event gives to whoever sent its command; `state` is the state after it. */
export function answer(event: TaskEvent, state: TaskState | undefined): Outcome {
  switch (event.eventType) {
    case 'CommandRefused': {
      const { code, detail, more } = event.metadata;
      return refused(code as RefusalCode, detail, more);
    }
    case 'TaskTriggered': {
      const { executionId, runId, estimatedCompletion } = event.metadata;
      return accepted({ executionId, runId, taskId: event.taskId, estimatedCompletion, message: 'Task triggered' });
    }
    case 'TaskStarted':
    case 'TaskCompleted':
    case 'TaskFailed':
      return accepted(reportAnswer());
    case 'TaskCreated':
    case 'TaskCancelled':
      if (state === undefined) throw new Error(`${event.eventType} leaves no task`);
      return accepted(taskView(state));
  }
}

const accepted = (data: JsonObject): Outcome => ({ kind: 'accepted', answer: data });

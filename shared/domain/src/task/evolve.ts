import type { TaskEvent } from './events.ts';
import type { EndedExecution, Execution, TaskState } from './state.ts';
import { DEFAULT_RETRY } from './state.ts';

const REMEMBERED_DURATIONS = 10;

/**
 * The state after an event. T1: folding a task's events from the first gives exactly the stored state.
 * T2: a refusal changes nothing.
 */
export function evolve(state: TaskState | undefined, event: TaskEvent): TaskState | undefined {
  if (event.eventType === 'CommandRefused') return state;
  if (event.eventType === 'TaskCreated') return created(event);
  if (state === undefined)
    throw new Error(`${event.eventType} ${event.sequence} of ${event.tenantId}/${event.taskId} comes before TaskCreated`);
  const next: TaskState = { ...state, status: event.newState ?? state.status, version: event.sequence, updatedAt: event.timestamp };
  switch (event.eventType) {
    case 'TaskTriggered': {
      const { executionId, runId, attempt, context } = event.metadata;
      return { ...next, execution: { executionId, runId, attempt, context, triggeredAt: event.timestamp, startedAt: null } };
    }
    case 'TaskStarted':
      return { ...next, execution: state.execution && { ...state.execution, startedAt: event.timestamp } };
    case 'TaskCompleted':
      return {
        ...ended(next, state.execution, event.timestamp, 'Completed', { result: event.metadata.result ?? null }),
        retryCount: 0,
        durationsMs: remember(state, event.timestamp),
      };
    case 'TaskFailed':
      return {
        ...ended(next, state.execution, event.timestamp, 'Failed', { error: event.metadata.error }),
        retryCount: state.retryCount + 1,
      };
    case 'TaskCancelled':
      return ended(next, state.execution, event.timestamp, 'Cancelled', {});
  }
}

function created(event: TaskEvent & { eventType: 'TaskCreated' }): TaskState {
  const { metadata, timestamp } = event;
  return {
    tenantId: event.tenantId,
    taskId: event.taskId,
    type: metadata.type,
    owner: metadata.owner,
    status: 'Draft',
    version: event.sequence,
    dependencies: metadata.dependencies ?? [],
    context: metadata.context ?? {},
    target: metadata.target ?? null,
    retry: { ...DEFAULT_RETRY, ...metadata.retry },
    deadline: metadata.deadline ?? null,
    critical: metadata.critical ?? false,
    sensitive: metadata.sensitive ?? false,
    estimatedDuration: metadata.estimatedDuration ?? null,
    retryCount: 0,
    execution: null,
    lastExecution: null,
    durationsMs: [],
    createdAt: timestamp,
    updatedAt: timestamp,
  };
}

function ended(
  next: TaskState,
  execution: Execution | null,
  endedAt: string,
  status: EndedExecution['status'],
  how: Pick<EndedExecution, 'result' | 'error'>,
): TaskState {
  if (execution === null) return next;
  const { executionId, runId, attempt, triggeredAt } = execution;
  return { ...next, execution: null, lastExecution: { executionId, runId, attempt, status, triggeredAt, endedAt, ...how } };
}

function remember(state: TaskState, endedAt: string): number[] {
  if (state.execution === null) return state.durationsMs;
  const duration = Date.parse(endedAt) - Date.parse(state.execution.triggeredAt);
  return [...state.durationsMs, duration].slice(-REMEMBERED_DURATIONS);
}

import { isRecurring } from '../schedule.ts';
import type { TaskEvent } from './events.ts';
import { afterReservation, reserved } from './evolve-reservation.ts';
import { type Cascade, DEFAULT_RETRY, type EndedExecution, type Execution, type TaskChanges, type TaskState } from './state.ts';

const REMEMBERED_DURATIONS = 10;

/**
 * The state after an event. T1: folding a task's events from the first gives exactly the stored state.
 * T2: an erasure changes nothing, nor does a refusal, except that it withdraws the proposal which it refuses, remembers the cascade which it is left out of,
 * and ends what the bulk that was refused had of the task.
 */
export function evolve(state: TaskState | undefined, event: TaskEvent): TaskState | undefined {
  if (event.eventType === 'TaskCreated') return created(event);
  if (event.eventType === 'DataErased') return state;
  if (event.eventType === 'CommandRefused') {
    return state && refused(state, event);
  }
  if (state === undefined)
    throw new Error(`${event.eventType} ${event.sequence} of ${event.tenantId}/${event.taskId} comes before TaskCreated`);
  const next: TaskState = { ...state, status: event.newState ?? state.status, version: event.sequence, updatedAt: event.timestamp };
  switch (event.eventType) {
    case 'TaskChanged':
      return { ...changed(next, event.metadata.changes), waitsFor: event.metadata.waitsFor ?? next.waitsFor };
    case 'DependenciesProposed': {
      const { dependencies, changes = {}, named = [], reschedule: body } = event.metadata;
      const { commandId } = event;
      return {
        ...next,
        proposal:
          body === undefined ? { commandId, kind: 'change', dependencies, changes } : { commandId, kind: 'reschedule', named, body },
      };
    }
    case 'DependenciesChanged':
      return { ...changed(next, event.metadata.changes), dependencies: event.metadata.dependencies, proposal: null };
    case 'TaskTriggered':
      return afterReservation(triggered(next, event), event.metadata.bulkId);
    case 'TaskRescheduled':
      return afterReservation(rescheduled(next, event), event.metadata.bulkId);
    case 'TaskReserved':
      return reserved(next, event);
    case 'TaskReleased':
      return afterReservation(next, event.metadata.bulkId);
    case 'TaskStarted':
      return { ...next, execution: state.execution && started(state.execution, event) };
    case 'TaskCompleted':
      return {
        ...ended(next, event.timestamp, 'Completed', { result: event.metadata.result ?? null }),
        retryCount: 0,
        outcome: 'Completed',
        durationsMs: remember(state, event.timestamp),
      };
    case 'TaskFailed':
      return failed(next, event);
    case 'TaskCancelled':
      return { ...ended(next, event.timestamp, 'Cancelled', {}), ...UNSCHEDULED, cascade: underWay(state), outcome: null };
  }
  throw new Error(`${(event as TaskEvent).eventType} is an event that nobody here knows`);
}

/** X2: a cascade whose root this task is ends with its run and nothing else. */
const underWay = ({ cascade, taskId }: TaskState): Cascade | null => (cascade?.root === taskId ? cascade : null);

const UNSCHEDULED = { schedule: null, nextExecution: null, waitsFor: [], pendingRetry: null, cascade: null };
const REMEMBERED_CASCADES = 100;

function created({ metadata, timestamp, ...event }: TaskEvent & { eventType: 'TaskCreated' }): TaskState {
  return {
    tenantId: event.tenantId,
    taskId: event.taskId,
    type: metadata.type,
    owner: metadata.owner,
    status: event.newState ?? 'Draft',
    version: event.sequence,
    dependencies: metadata.dependencies ?? [],
    context: metadata.context ?? {},
    target: metadata.target ?? null,
    retry: { ...DEFAULT_RETRY, ...metadata.retry },
    deadline: metadata.deadline ?? null,
    critical: metadata.critical ?? false,
    sensitive: metadata.sensitive ?? false,
    estimatedDuration: metadata.estimatedDuration ?? null,
    onMissed: metadata.onMissed ?? 'fire',
    schedule: metadata.schedule ?? null,
    nextExecution: metadata.nextExecution ?? null,
    waitsFor: metadata.waitsFor ?? [],
    lastConditional: metadata.schedule?.strategy === 'conditional' ? metadata.schedule : null,
    cascade: null,
    cascades: [],
    pendingRetry: null,
    proposal: null,
    reservation: null,
    claims: [],
    retryCount: 0,
    execution: null,
    lastExecution: null,
    outcome: null,
    durationsMs: [],
    createdAt: timestamp,
    updatedAt: timestamp,
  };
}

const changed = (next: TaskState, changes: TaskChanges): TaskState => ({ ...next, ...changes });

/** A trigger uses up a one-time schedule; a recurring one stays. */
function triggered(next: TaskState, { metadata, timestamp }: TaskEvent & { eventType: 'TaskTriggered' }): TaskState {
  const { executionId, runId, attempt, context, nextExecution, hasTarget } = metadata;
  const stays = next.schedule !== null && isRecurring(next.schedule);
  return {
    ...next,
    ...(stays ? { nextExecution: nextExecution ?? next.nextExecution, pendingRetry: null } : UNSCHEDULED),
    outcome: null,
    cascade: null,
    execution: {
      ...{ executionId, runId, attempt, context, triggeredAt: timestamp, startedAt: null },
      ...(hasTarget === undefined ? {} : { hasTarget }),
    },
  };
}

const started = (execution: Execution, { timestamp, actor, metadata }: TaskEvent & { eventType: 'TaskStarted' }): Execution => ({
  ...execution,
  startedAt: timestamp,
  ...(metadata.taken ? { executor: actor.id } : {}),
});

function refused(state: TaskState, { metadata }: TaskEvent & { eventType: 'CommandRefused' }): TaskState {
  const { proposal, cascade, bulkId } = metadata;
  if (bulkId !== undefined) return afterReservation(state, bulkId);
  if (proposal !== undefined) return { ...state, proposal: null };
  return cascade === undefined ? state : { ...state, cascades: withLatest(state.cascades, cascade) };
}

function rescheduled(next: TaskState, { metadata, timestamp }: TaskEvent & { eventType: 'TaskRescheduled' }): TaskState {
  const { schedule, nextExecution, waitsFor = [], context, cancelledExecution, cascade, skipped, proposal } = metadata;
  if (skipped !== undefined) return { ...next, nextExecution };
  const free = cancelledExecution === undefined ? next : ended(next, timestamp, 'Cancelled', { forced: true });
  return {
    ...free,
    schedule,
    nextExecution,
    waitsFor,
    context: context ?? next.context,
    lastConditional: schedule.strategy === 'conditional' ? schedule : isRecurring(schedule) ? null : next.lastConditional,
    cascade: cascade ?? underWay(next),
    cascades: cascade === undefined ? next.cascades : withLatest(next.cascades, cascade),
    proposal: proposal === undefined ? next.proposal : null,
    pendingRetry: null,
    retryCount: 0,
    outcome: null,
  };
}

const withLatest = (cascades: TaskState['cascades'], { root, sequence }: Pick<Cascade, 'root' | 'sequence'>): TaskState['cascades'] =>
  [...cascades.filter((seen) => seen.root !== root), { root, sequence }].slice(-REMEMBERED_CASCADES);

function failed(next: TaskState, { metadata, timestamp }: TaskEvent & { eventType: 'TaskFailed' }): TaskState {
  const { runId, attempt, error, willRetry, nextExecution } = metadata;
  const after = { ...ended(next, timestamp, 'Failed', { error }), retryCount: next.retryCount + 1 };
  if (!willRetry || nextExecution === undefined) return { ...after, outcome: 'Failed' };
  const { context = {} } = next.execution ?? {};
  return { ...after, pendingRetry: { at: nextExecution, runId, attempt: attempt + 1, context } };
}

function ended(
  next: TaskState,
  endedAt: string,
  status: EndedExecution['status'],
  how: Pick<EndedExecution, 'result' | 'error' | 'forced'>,
): TaskState {
  if (next.execution === null) return next;
  const { executionId, runId, attempt, triggeredAt, executor } = next.execution;
  const by = executor === undefined ? {} : { executor };
  return { ...next, execution: null, lastExecution: { executionId, runId, attempt, status, triggeredAt, endedAt, ...by, ...how } };
}

function remember(state: TaskState, endedAt: string): number[] {
  if (state.execution === null) return state.durationsMs;
  const duration = Date.parse(endedAt) - Date.parse(state.execution.triggeredAt);
  return [...state.durationsMs, duration].slice(-REMEMBERED_DURATIONS);
}

import type { Command } from '../command.ts';
import type { Conditions } from '../conditions.ts';
import type { Decision, Evidence } from '../decider.ts';
import { formatInstant } from '../instant.ts';
import { type CalculationDetails, delayApplied, nextExecution, type Schedule, type ScheduleRefusal } from '../schedule.ts';
import { downstream, MOST_TASKS } from './cascade.ts';
import { alreadyRunning, circular, event, invalidState, isOwner, notOwner, propose, refuse } from './decision.ts';
import { addedEdges, judgeConditions, TOO_LARGE, unmetOf, waitsForDirect, walk } from './evidence.ts';
import type { Status, TaskState } from './state.ts';

const RESCHEDULABLE: readonly Status[] = ['Draft', 'Scheduled', 'Running', 'Failed', 'Completed', 'Cancelled'];

type Scheduled = {
  nextExecution: string | null;
  delayApplied: string | null;
  calculationDetails?: CalculationDetails;
  waitsFor?: string[];
};

/** `isNew`: nobody knows the task yet, so nothing can lead back to it. */
type Subject = { tenantId: string; taskId: string; dependencies: string[]; retryCount: number; isNew?: true };

/** What a schedule means for a task at `at`, or why not (a cycle), or which states are needed to say. */
export function scheduleOf(
  task: Subject,
  schedule: Schedule,
  commandId: string,
  at: number,
  evidence: Evidence,
): { kind: 'scheduled'; scheduled: Scheduled } | { kind: 'cycle'; path: string[] } | ScheduleRefusal | (Decision & { kind: 'needs' }) {
  if (schedule.strategy === 'conditional') return waiting(task, schedule.conditions, evidence);
  const next = nextExecution(schedule, at, { retryCount: task.retryCount, commandId, isAdmitted: true });
  if (next.kind === 'refused') return next; // the door let it in: its Node knows a time zone that this one doesn't
  if (next.kind === 'waiting') throw new Error('a conditional schedule has no time');
  return {
    kind: 'scheduled',
    scheduled: {
      nextExecution: formatInstant(next.at),
      delayApplied: delayApplied(next, at),
      ...(next.details === undefined ? {} : { calculationDetails: next.details }),
    },
  };
}

/** V2: whoever starts to wait is watched by the tasks that are not yet as wanted; it looks again when its snapshot is saved. */
function waiting({ tenantId, taskId, dependencies, isNew }: Subject, conditions: Conditions, evidence: Evidence) {
  const added = addedEdges(dependencies, conditions);
  const way = walk(tenantId, taskId, isNew ? added.filter((id) => id === taskId) : added, evidence);
  if (way.kind === 'needs' || way.kind === 'cycle') return way;
  const direct = waitsForDirect(tenantId, dependencies, conditions, evidence);
  if (typeof direct === 'object') return direct;
  const near = direct ? { ...conditions, dependenciesComplete: [...dependencies] } : conditions; // V5: what lies behind is watched when its time comes
  const judged = way.kind === 'tooLarge' ? way : judgeConditions(tenantId, taskId, dependencies, near, evidence);
  if ('kind' in judged) return judged.kind === 'needs' ? judged : { kind: 'refused' as const, field: 'conditions', message: TOO_LARGE };
  const scheduled: Scheduled = { nextExecution: null, delayApplied: null, waitsFor: unmetOf(judged) };
  return { kind: 'scheduled' as const, scheduled };
}

/** A schedule that adds edges takes two steps (T7): it is proposed, and `arm` is the second. Any other is armed at once. */
export function reschedule(
  state: TaskState,
  command: Command & { type: 'RescheduleTask' },
  sequence: number,
  at: number,
  evidence: Evidence,
): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  const { body } = command;
  const named = body.schedule.strategy === 'conditional' ? addedEdges(state.dependencies, body.schedule.conditions) : [];
  if (named.length === 0) return arm(state, command, sequence, at, evidence);
  return blocked(state, command) ?? propose(state, command, { dependencies: state.dependencies, named, reschedule: body });
}

function blocked(state: TaskState, command: Command & { type: 'RescheduleTask' }): Decision | undefined {
  if (state.status === 'Running' && !command.body.force) return alreadyRunning(state, command);
  return RESCHEDULABLE.includes(state.status) ? undefined : invalidState(state, command, RESCHEDULABLE);
}

/**
 * The running execution ends when `force` is given (T5 makes its late reports stale). Earlier executions and events stay as they are. `sequence` is the event's
 * that this makes.
 */
export function arm(
  state: TaskState,
  command: Command & { type: 'RescheduleTask' },
  sequence: number,
  at: number,
  evidence: Evidence,
): Decision {
  const refusal = blocked(state, command);
  if (refusal !== undefined) return refusal;
  const { schedule, context, cascade, reason } = command.body;
  const made = scheduleOf(state, schedule, command.commandId, at, evidence);
  if (made.kind === 'needs') return made;
  if (made.kind === 'cycle') return circular(state, command, made.path);
  if (made.kind === 'refused') return refuse(state, command, 'invalid_request', `${made.field}: ${made.message}`);
  const closure = cascade ? downstream(state, command, evidence) : null;
  if (closure?.kind === 'needs') return closure;
  if (closure !== null && closure.tasks.length > MOST_TASKS)
    return refuse(state, command, 'invalid_request', `cascade: ${closure.tasks.length} tasks wait for this one, more than ${MOST_TASKS}`);
  if (closure !== null && closure.foreign.length > 0)
    return refuse(state, command, 'forbidden', `The cascade would run tasks of other owners: ${closure.foreign.slice(0, 10).join(', ')}`); // X4
  return event('TaskRescheduled', 'Scheduled', {
    strategy: schedule.strategy,
    schedule,
    previousSchedule: state.schedule,
    ...made.scheduled,
    ...(reason === undefined ? {} : { reason }),
    ...(context === undefined ? {} : { context }),
    ...(closure === null ? {} : { cascade: { id: command.commandId, root: state.taskId, tasks: closure.tasks, sequence } }),
    ...(state.execution === null ? {} : { cancelledExecution: state.execution.executionId }),
  });
}

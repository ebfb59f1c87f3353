import type { Command } from '../command.ts';
import type { Decision, Evidence } from '../decider.ts';
import type { Head } from '../event.ts';
import { TENANT_STREAM } from '../identifiers.ts';
import { isPermitted } from '../permissions.ts';
import { REFUSAL_TITLES, refused } from '../refusal.ts';
import { mayStart, reset } from './cascade.ts';
import { claim } from './claim.ts';
import { change, confirm } from './decide-change.ts';
import { eraseOfTask, eraseOfUser, isSealed, NOT_SEALED } from './decide-erasure.ts';
import { decideReport } from './decide-report.ts';
import { reschedule, scheduleOf } from './decide-schedule.ts';
import { check, wake } from './decide-wake.ts';
import { alreadyRunning, circular, event, invalidState, isOwner, NOTHING, notOwner, refuse } from './decision.ts';
import type { TaskMetadata } from './events.ts';
import { addedEdges, judgeConditions, TOO_LARGE, walk } from './evidence.ts';
import { begin } from './execution.ts';
import type { Status, TaskState } from './state.ts';

const TRIGGERABLE: readonly Status[] = ['Draft', 'Scheduled', 'Failed'];
const CANCELLABLE: readonly Status[] = ['Draft', 'Scheduled', 'Running', 'Failed'];

const whyNot = ({ denied }: Command): string => denied ?? 'The caller’s roles do not permit this';

export function decide(state: TaskState | undefined, command: Command, head: Head, at: number, evidence: Evidence): Decision {
  if (state === undefined) return decideWithoutTask(command, at, evidence);
  if (!isPermitted(command)) return refuse(state, command, 'forbidden', whyNot(command));
  if (state.proposal?.commandId === command.commandId) return NOTHING; // a twin: the answer is on its way
  if (state.sensitive && !isSealed(command)) return refuse(state, command, 'invalid_request', NOT_SEALED);
  switch (command.type) {
    case 'CreateTask':
      return refuse(state, command, 'task_exists', `Task ${state.taskId} already exists`);
    case 'ChangeTask':
      return change(state, command);
    case 'TriggerTask':
      return trigger(state, command, head, at, evidence);
    case 'RescheduleTask':
      return reschedule(state, command, head.sequence + 1, at, evidence);
    case 'CancelTask':
      return cancel(state, command);
    case 'Wake':
      return wake(state, command, head, at, evidence);
    case 'Check':
      return check(state, command, head, at, evidence);
    case 'ConfirmDependencies':
      return confirm(state, command, head.sequence + 1, at, evidence);
    case 'ResetTask':
      return reset(state, command);
    case 'EraseData':
      return eraseOfTask(state, command);
    case 'ClaimExecution':
      return claim(state, command);
    default:
      return decideReport(state, command, at);
  }
}

function decideWithoutTask(command: Command, at: number, evidence: Evidence): Decision {
  if (command.type === 'EraseData' && command.taskId === TENANT_STREAM) return eraseOfUser(command);
  if (command.type === 'CreateTask')
    return isPermitted(command) ? create(command, at, evidence) : { kind: 'answered', outcome: refused('forbidden', whyNot(command)) };
  if (command.actor.type === 'system') return NOTHING;
  return { kind: 'answered', outcome: refused('task_not_found', `There is no task ${command.taskId}`) };
}

/** A create can close no cycle: nobody knows its task yet. */
function create(command: Command & { type: 'CreateTask' }, at: number, evidence: Evidence): Decision {
  const { target, schedule, ...body } = command.body;
  if (body.sensitive && !isSealed(command)) return { kind: 'answered', outcome: refused('invalid_request', NOT_SEALED) };
  const metadata: TaskMetadata['TaskCreated'] = {
    ...body,
    owner: command.actor.id,
    ...(target === undefined ? {} : { target: { ...target, secretGeneration: 1 } }),
  };
  if (schedule === undefined) return event('TaskCreated', 'Draft', metadata);
  const task = {
    tenantId: command.tenantId,
    taskId: command.taskId,
    dependencies: body.dependencies ?? [],
    retryCount: 0,
    isNew: true as const,
  };
  const made = scheduleOf(task, schedule, command.commandId, at, evidence);
  if (made.kind === 'needs') return made;
  if (made.kind === 'cycle') {
    const detail = `Tasks would wait for each other: ${made.path.join(' → ')}`;
    return { kind: 'answered', outcome: refused('circular_dependency', detail, { cycle: made.path }) };
  }
  if (made.kind === 'refused') return { kind: 'answered', outcome: refused('invalid_request', `schedule.${made.field}: ${made.message}`) };
  const { nextExecution, waitsFor } = made.scheduled;
  return event('TaskCreated', 'Scheduled', { ...metadata, schedule, nextExecution, ...(waitsFor === undefined ? {} : { waitsFor }) });
}

/** Without conditions it doesn't look at dependencies: an operator's retry. With them, unmet is refused at once, line by line. */
function trigger(state: TaskState, command: Command & { type: 'TriggerTask' }, head: Head, at: number, evidence: Evidence): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  if (state.status === 'Running') return alreadyRunning(state, command);
  if (!TRIGGERABLE.includes(state.status)) return invalidState(state, command, TRIGGERABLE);
  if (state.cascade?.root === state.taskId) {
    const ready = mayStart(state, evidence); // X2
    if (ready === false)
      return refuse(state, command, 'invalid_state', 'Its cascade is being prepared; it starts by itself when that is done');
    if (ready !== true) return ready;
  }
  const { context = state.context, triggerReason: reason = null, conditions } = command.body;
  if (conditions === undefined) return begin(state, command, head, at, { reason, context });
  const way = walk(state.tenantId, state.taskId, addedEdges(state.dependencies, conditions), evidence);
  if (way.kind === 'needs') return way;
  if (way.kind === 'cycle') return circular(state, command, way.path);
  const judged = way.kind === 'tooLarge' ? way : judgeConditions(state.tenantId, state.taskId, state.dependencies, conditions, evidence);
  if ('kind' in judged) return judged.kind === 'needs' ? judged : refuse(state, command, 'invalid_request', `conditions: ${TOO_LARGE}`);
  if (judged.met) return begin(state, command, head, at, { reason, context, conditions: judged.verdict });
  const unmet = judged.verdict.filter((line) => !line.met).map(({ taskId, required, actual }) => `${taskId} is ${actual}, not ${required}`);
  return refuse(state, command, 'conditions_unmet', `${REFUSAL_TITLES.conditions_unmet}: ${unmet.join('; ')}`, {
    conditions: judged.verdict,
  });
}

function cancel(state: TaskState, command: Command & { type: 'CancelTask' }): Decision {
  if (!isOwner(state, command)) return notOwner(state, command);
  if (!CANCELLABLE.includes(state.status)) return invalidState(state, command, CANCELLABLE);
  return event('TaskCancelled', 'Cancelled', { reason: command.body.reason ?? null, executionId: state.execution?.executionId ?? null });
}

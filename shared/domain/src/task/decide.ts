import type { Command } from '../command.ts';
import type { Decision, NewEvent } from '../decider.ts';
import type { Head } from '../event.ts';
import { deriveExecutionId, deriveRunId, taskKey } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { mayChange } from '../permissions.ts';
import { REFUSAL_TITLES, type RefusalCode, refused } from '../refusal.ts';
import { decideReport } from './decide-report.ts';
import { estimatedCompletion } from './estimate.ts';
import { SCHEMA_VERSION, type TaskEventType, type TaskMetadata } from './events.ts';
import type { Status, TaskState } from './state.ts';

/** An event of this aggregate, its metadata checked against its type. */
export function event<T extends TaskEventType>(eventType: T, newState: Status, metadata: TaskMetadata[T]): Decision {
  return { kind: 'event', event: { eventType, schemaVersion: SCHEMA_VERSION, newState, metadata: metadata as NewEvent['metadata'] } };
}

/** T3: a refused command on an existing task is an event of its own, so that it is fenced, audited and answered like any other. */
export function refuse(state: TaskState, command: Command, code: RefusalCode, detail: string, more?: JsonObject): Decision {
  const metadata = { command: command.type, code, title: REFUSAL_TITLES[code], detail };
  return event('CommandRefused', state.status, more === undefined ? metadata : { ...metadata, more });
}

const TRIGGERABLE: readonly Status[] = ['Draft', 'Scheduled', 'Failed'];
const CANCELLABLE: readonly Status[] = ['Draft', 'Scheduled', 'Running', 'Failed'];

export function decide(state: TaskState | undefined, command: Command, head: Head, at: number): Decision {
  if (state === undefined) {
    if (command.type === 'CreateTask') return create(command);
    return { kind: 'answered', outcome: refused('task_not_found', `There is no task ${command.taskId}`) };
  }
  switch (command.type) {
    case 'CreateTask':
      return refuse(state, command, 'task_exists', `Task ${state.taskId} already exists`);
    case 'TriggerTask':
      return trigger(state, command, head, at);
    case 'CancelTask':
      return cancel(state, command);
    default:
      return decideReport(state, command);
  }
}

function create(command: Command & { type: 'CreateTask' }): Decision {
  const { target, ...body } = command.body;
  const metadata = { ...body, owner: command.actor.id };
  return event('TaskCreated', 'Draft', target === undefined ? metadata : { ...metadata, target: { ...target, secretGeneration: 1 } });
}

/** T4: at most one execution at a time: Running refuses, and only a trigger makes Running. */
function trigger(state: TaskState, command: Command & { type: 'TriggerTask' }, head: Head, at: number): Decision {
  if (!mayChange(command.actor, command.roles, state.owner)) return notOwner(state, command);
  if (state.status === 'Running')
    return refuse(state, command, 'task_already_running', `Task ${state.taskId} is Running; cancel it or wait for its end`);
  if (!TRIGGERABLE.includes(state.status)) return invalidState(state, command, TRIGGERABLE);
  const key = taskKey(state.tenantId, state.taskId);
  const sequence = head.sequence + 1;
  return event('TaskTriggered', 'Running', {
    executionId: deriveExecutionId(state.taskId, key, command.commandId, sequence),
    runId: deriveRunId(key, command.commandId, sequence),
    attempt: 1,
    triggerReason: command.body.triggerReason ?? null,
    context: command.body.context ?? state.context,
    estimatedCompletion: estimatedCompletion(state, at),
  });
}

function cancel(state: TaskState, command: Command & { type: 'CancelTask' }): Decision {
  if (!mayChange(command.actor, command.roles, state.owner)) return notOwner(state, command);
  if (!CANCELLABLE.includes(state.status)) return invalidState(state, command, CANCELLABLE);
  return event('TaskCancelled', 'Cancelled', { reason: command.body.reason ?? null, executionId: state.execution?.executionId ?? null });
}

const notOwner = (state: TaskState, command: Command): Decision =>
  refuse(state, command, 'forbidden', `Only the owner of task ${state.taskId} or an admin may change it`);

const invalidState = (state: TaskState, command: Command, allowed: readonly Status[]): Decision =>
  refuse(state, command, 'invalid_state', `Task ${state.taskId} is ${state.status}; this is possible from ${allowed.join(', ')}`);

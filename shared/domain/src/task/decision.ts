import type { Command } from '../command.ts';
import type { Decision, NewEvent } from '../decider.ts';
import type { JsonObject } from '../json.ts';
import { mayChange } from '../permissions.ts';
import { REFUSAL_TITLES, type RefusalCode } from '../refusal.ts';
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

/**
 * T7, first step: edges that others may wait on are stored as proposed. Only then, when whoever decides for another task can see them, are they checked.
 * One proposal at a time.
 */
export function propose(state: TaskState, command: Command, proposed: Omit<TaskMetadata['DependenciesProposed'], 'previous'>): Decision {
  if (state.proposal === null) return event('DependenciesProposed', state.status, { ...proposed, previous: state.dependencies });
  return refuse(state, command, 'invalid_state', 'Another change of what it waits for is being checked; try again when that is decided');
}

export const NOTHING: Decision = { kind: 'nothing' };

export const isOwner = (state: TaskState, command: Command): boolean => mayChange(command.actor, command.roles, state.owner);

export const notOwner = (state: TaskState, command: Command): Decision =>
  refuse(state, command, 'forbidden', `Only the owner of task ${state.taskId} or an admin may change it`);

export const invalidState = (state: TaskState, command: Command, allowed: readonly Status[]): Decision =>
  refuse(state, command, 'invalid_state', `Task ${state.taskId} is ${state.status}; this is possible from ${allowed.join(', ')}`);

export const circular = (state: TaskState, command: Command, path: string[]): Decision =>
  refuse(state, command, 'circular_dependency', `Tasks would wait for each other: ${path.join(' → ')}`, { cycle: path });

export const alreadyRunning = (state: TaskState, command: Command): Decision =>
  refuse(state, command, 'task_already_running', `Task ${state.taskId} is Running; cancel it or wait for its end`);

import type { Event } from '../event.ts';
import type { JsonObject } from '../json.ts';
import type { CreateTaskBody } from './commands.ts';
import type { Status } from './state.ts';

/** Which execution an event speaks of. */
export type ExecutionRef = { executionId: string; runId: string; attempt: number };

export type TaskMetadata = {
  TaskCreated: Omit<CreateTaskBody, 'target'> & { owner: string; target?: CreateTaskBody['target'] & { secretGeneration: number } };
  TaskTriggered: ExecutionRef & { triggerReason: string | null; context: JsonObject; estimatedCompletion: string };
  TaskStarted: ExecutionRef;
  TaskCompleted: ExecutionRef & { result: JsonObject[string] };
  TaskFailed: ExecutionRef & { error: { code: string; message: string }; willRetry: boolean };
  TaskCancelled: { reason: string | null; executionId: string | null };
  CommandRefused: { command: string; code: string; title: string; detail: string; more?: JsonObject };
};

export type TaskEventType = keyof TaskMetadata;
export type TaskEvent = { [T in TaskEventType]: Event<T, Status, TaskMetadata[T]> }[TaskEventType];

/** The version of each event's metadata that this code writes. Older ones are raised by an upcaster before they are folded. */
export const SCHEMA_VERSION = 1;

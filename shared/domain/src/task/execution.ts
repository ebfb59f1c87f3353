import { backoff } from '../backoff.ts';
import { chance } from '../chance.ts';
import type { Command } from '../command.ts';
import type { Decision } from '../decider.ts';
import { parseDuration } from '../duration.ts';
import type { Head } from '../event.ts';
import { deriveExecutionId, deriveRunId, taskKey } from '../identifiers.ts';
import { formatInstant } from '../instant.ts';
import type { JsonObject } from '../json.ts';
import { isRecurring } from '../schedule.ts';
import { event } from './decision.ts';
import { estimatedCompletion } from './estimate.ts';
import type { ExecutionRef, TaskMetadata } from './events.ts';
import type { Status, TaskState } from './state.ts';

type Start = { reason: string | null; context: JsonObject; run?: { runId: string; attempt: number } } & Pick<
  TaskMetadata['TaskTriggered'],
  'conditions' | 'scheduledFor' | 'nextExecution' | 'missed'
>;

/** T4: at most one execution at a time: only this makes a task Running, and nobody calls it for a task that is. */
export function begin(state: TaskState, command: Command, head: Head, at: number, { reason, context, run, ...more }: Start): Decision {
  const key = taskKey(state.tenantId, state.taskId);
  const sequence = head.sequence + 1;
  return event('TaskTriggered', 'Running', {
    executionId: deriveExecutionId(state.taskId, key, command.commandId, sequence),
    ...(run ?? { runId: deriveRunId(key, command.commandId, sequence), attempt: 1 }),
    triggerReason: reason,
    context,
    estimatedCompletion: estimatedCompletion(state, at),
    type: state.type,
    hasTarget: state.target !== null,
    ...more,
  });
}

/** Where a task goes when a run ends for good: a recurring one straight back to Scheduled. */
export const restingStatus = (state: TaskState, ended: Status): Status =>
  state.schedule !== null && isRecurring(state.schedule) ? 'Scheduled' : ended;

/** T8: a failed attempt is tried again as the task's policy says, `baseDelay × 2^(attempt - 1)` up to `maxDelay` with jitter; otherwise the run has failed. */
export function fail(
  state: TaskState,
  command: Command,
  at: number,
  error: { code: string; message: string },
  retryable: boolean,
): Decision {
  const { execution, retry } = state;
  if (execution === null) throw new Error(`${state.taskId} has no execution that could fail`);
  const { executionId, runId, attempt } = execution;
  const ref: ExecutionRef = { executionId, runId, attempt };
  if (!retryable || attempt >= retry.maxAttempts)
    return event('TaskFailed', restingStatus(state, 'Failed'), { ...ref, error, willRetry: false });
  const policy = { baseMs: ms(retry.baseDelay), maxMs: ms(retry.maxDelay), jitter: retry.jitter, retryCount: attempt - 1 };
  const { delayMs } = backoff(policy, chance('retry', executionId, command.commandId));
  return event('TaskFailed', 'Scheduled', { ...ref, error, willRetry: true, nextExecution: formatInstant(at + delayMs) });
}

/** A duration that the door let in. */
export function ms(duration: string): number {
  const value = parseDuration(duration);
  if (value === undefined) throw new Error(`${duration} is no duration`);
  return value;
}

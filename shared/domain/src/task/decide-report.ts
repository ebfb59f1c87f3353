import type { Command } from '../command.ts';
import type { Decision } from '../decider.ts';
import type { JsonObject } from '../json.ts';
import { event, refuse } from './decide.ts';
import type { ExecutionRef } from './events.ts';
import type { TaskState } from './state.ts';

/** How long an executor may stay silent after its first report. */
export const HEARTBEAT_TIMEOUT = '60s';

type Report = Command & { type: 'StartExecution' | 'CompleteExecution' | 'FailExecution' };

/**
 * Reports of an executor.
 * T5: only the current execution can be reported; a late report of another is `stale_execution` and changes nothing.
 * T6: the same report again is answered like the first and writes nothing.
 */
export function decideReport(state: TaskState, command: Report): Decision {
  const { executionId } = command.body;
  const current = state.execution;
  if (current?.executionId !== executionId) return isRepeat(state, command) ? repeated() : stale(state, command);
  const ref: ExecutionRef = { executionId, runId: current.runId, attempt: current.attempt };
  switch (command.type) {
    case 'StartExecution':
      return current.startedAt === null ? event('TaskStarted', 'Running', ref) : repeated();
    case 'CompleteExecution':
      return event('TaskCompleted', 'Completed', { ...ref, result: command.body.result ?? null });
    case 'FailExecution':
      return event('TaskFailed', 'Failed', { ...ref, error: command.body.error, willRetry: false });
  }
}

const ENDS = { StartExecution: null, CompleteExecution: 'Completed', FailExecution: 'Failed' } as const;

function isRepeat(state: TaskState, command: Report): boolean {
  const last = state.lastExecution;
  return last !== null && last.executionId === command.body.executionId && last.status === ENDS[command.type];
}

function stale(state: TaskState, command: Report): Decision {
  const last = state.lastExecution;
  const how =
    last?.executionId === command.body.executionId ? `it ended as ${last.status} at ${last.endedAt}` : 'another one took its place';
  return refuse(
    state,
    command,
    'stale_execution',
    `Execution ${command.body.executionId} is not the current one: ${how}. Stop working on it.`,
  );
}

/** What a taken report is answered, the first time and every time. */
export const reportAnswer = (): JsonObject => ({ heartbeatTimeout: HEARTBEAT_TIMEOUT });

const repeated = (): Decision => ({ kind: 'answered', outcome: { kind: 'accepted', answer: reportAnswer() } });

import type { Command } from '../command.ts';
import type { Decision } from '../decider.ts';
import type { JsonObject } from '../json.ts';
import { refused } from '../refusal.ts';
import { runningAnswer } from './decide-report.ts';
import { event } from './decision.ts';
import type { Execution, TaskState } from './state.ts';

/**
 * T9: an execution is the dispatcher's or the executors', never both: those of a task that has no target, or had none when it was triggered, are the
 * executors'; the dispatcher calls the others.
 */
export const isForExecutors = ({ target }: Pick<TaskState, 'target'>, { hasTarget }: Execution): boolean =>
  target === null || hasTarget === false;

/** The execution that whoever comes first may claim; null = there is none. */
export const claimableExecution = ({ execution, target }: TaskState): Execution | null =>
  execution !== null && execution.startedAt === null && isForExecutors({ target }, execution) ? execution : null;

/**
 * The first who claims an execution has it (T10). Whoever comes second is told so, and no event is written: that others were faster is nothing that the task's
 * history has to keep.
 */
export function claim(state: TaskState, { body }: Command & { type: 'ClaimExecution' }): Decision {
  const execution = claimableExecution(state);
  if (execution === null)
    return { kind: 'answered', outcome: refused('stale_execution', `Task ${state.taskId} has nothing to claim any more`) };
  const { executionId, runId, attempt } = execution;
  return event('TaskStarted', 'Running', { executionId, runId, attempt, taken: true, claim: body.claim });
}

/** What whoever claimed an execution is given. */
export function claimedView(state: TaskState, execution: Execution): JsonObject {
  const { executionId, runId, attempt, context } = execution;
  const { taskId, type } = state;
  return { executionId, runId, taskId, type, attempt, context, ...runningAnswer(state, execution) };
}

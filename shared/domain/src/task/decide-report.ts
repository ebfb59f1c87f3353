import type { Command } from '../command.ts';
import type { Decision } from '../decider.ts';
import { formatInstant } from '../instant.ts';
import type { JsonObject } from '../json.ts';
import { isForExecutors } from './claim.ts';
import { event, refuse } from './decision.ts';
import type { ExecutionRef } from './events.ts';
import { fail, ms, restingStatus } from './execution.ts';
import type { Execution, TaskState } from './state.ts';

/** How long an executor may stay silent after its first report. */
export const HEARTBEAT_TIMEOUT = '60s';

type Report = Command & { type: 'StartExecution' | 'HeartbeatExecution' | 'CompleteExecution' | 'FailExecution' };

/**
 * Reports of an executor.
 * T5: only the current execution can be reported; a late report of another is `stale_execution` and changes nothing.
 * T6: the same report again is answered like the first and writes nothing.
 * T10: whoever reports an execution first, or claims it, has it, and nobody else may report it. Not so when a target is called: it reports in its own name.
 */
export function decideReport(state: TaskState, command: Report, at: number): Decision {
  const { executionId } = command.body;
  const current = state.execution;
  if (current?.executionId !== executionId)
    return isRepeat(state, command) ? taken({ heartbeatTimeout: HEARTBEAT_TIMEOUT }) : stale(state, command);
  if (isAnothers(current.executor, command)) return stale(state, command); // T10
  const ref: ExecutionRef = { executionId, runId: current.runId, attempt: current.attempt };
  const started = isOurs(command) || !isForExecutors(state, current) ? ref : { ...ref, taken: true as const };
  switch (command.type) {
    case 'StartExecution':
      return current.startedAt === null ? event('TaskStarted', 'Running', started) : taken(runningAnswer(state, current));
    case 'HeartbeatExecution': // no event: the owner of the partition remembers it; the first report counts as the start
      return current.startedAt === null ? event('TaskStarted', 'Running', started) : taken(runningAnswer(state, current));
    case 'CompleteExecution':
      return event('TaskCompleted', restingStatus(state, 'Completed'), { ...ref, result: command.body.result ?? null });
    case 'FailExecution':
      return fail(state, command, at, command.body.error, command.body.retryable ?? true);
  }
}

/** A report of the dispatcher, which speaks for a target. */
const isOurs = ({ fingerprint }: Report): boolean => fingerprint === undefined;

const isAnothers = (executor: string | undefined, command: Report): boolean =>
  executor !== undefined && executor !== command.actor.id && !isOurs(command);

/** The executor itself has ended this execution: the same end again is a repeat, and so is an earlier report that comes again. */
function isRepeat(state: TaskState, command: Report): boolean {
  const { type, body } = command;
  const last = state.lastExecution;
  if (last === null || last.executionId !== body.executionId || isAnothers(last.executor, command)) return false;
  if (last.error !== undefined && OVERDUE.includes(last.error.code)) return false;
  const { status } = last;
  if (type === 'CompleteExecution') return status === 'Completed';
  if (type === 'FailExecution') return status === 'Failed';
  return status !== 'Cancelled';
}

const OVERDUE = ['deadline_exceeded', 'heartbeat_timeout'];

function stale(state: TaskState, command: Report): Decision {
  const last = state.lastExecution;
  const { executionId } = command.body;
  const isRunning = state.execution?.executionId === executionId;
  const how = isRunning ? TAKEN : last?.executionId === executionId ? endOf(last, command) : 'another one took its place';
  return refuse(state, command, 'stale_execution', `Execution ${executionId} is not the current one: ${how}. Stop working on it.`);
}

const TAKEN = 'it was taken by another executor';

function endOf({ status, error, forced, endedAt, executor }: NonNullable<TaskState['lastExecution']>, command: Report): string {
  if (forced) return `a forced reschedule ended it at ${endedAt}`;
  if (error !== undefined && OVERDUE.includes(error.code)) return `it was overdue (${error.code}) at ${endedAt}`;
  if (status === 'Cancelled') return `it was cancelled at ${endedAt}`;
  return isAnothers(executor, command) ? TAKEN : `it ended as ${status} at ${endedAt}`;
}

/** When an execution must have ended; null = no deadline. Epoch milliseconds. */
export const deadlineAt = (state: TaskState, { triggeredAt }: Execution): number | null =>
  state.deadline === null ? null : Date.parse(triggeredAt) + ms(state.deadline);

/** What a report of the running execution is answered. */
export function runningAnswer(state: TaskState, execution: Execution): JsonObject {
  const deadline = deadlineAt(state, execution);
  return { ...(deadline === null ? {} : { deadlineAt: formatInstant(deadline) }), heartbeatTimeout: HEARTBEAT_TIMEOUT };
}

const taken = (answer: JsonObject): Decision => ({ kind: 'answered', outcome: { kind: 'accepted', answer } });

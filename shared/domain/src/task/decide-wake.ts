import type { Command } from '../command.ts';
import { cronTimesBetween, nextCronTime } from '../cron.ts';
import type { Decision, Evidence } from '../decider.ts';
import type { Head } from '../event.ts';
import { formatInstant } from '../instant.ts';
import { delayApplied, type Schedule } from '../schedule.ts';
import { mayStart } from './cascade.ts';
import { deadlineAt, HEARTBEAT_TIMEOUT } from './decide-report.ts';
import { event, NOTHING } from './decision.ts';
import { judgeConditions, unmetOf, waitsForDirect } from './evidence.ts';
import { begin, fail, ms } from './execution.ts';
import { lookup } from './lookup.ts';
import type { Execution, TaskState } from './state.ts';

/** A due time that fires later than this was missed. */
export const MISSED_AFTER_MS = 60_000;
const MOST_COUNTED = 1_000;

/**
 * A look at the due times, by the log's clock.
 * U1: nothing happens before its time, and a second Wake finds nothing due: what was due has changed the state.
 * U2: the earliest due thing is handled; the rest sets the next due time.
 * U5: a Wake is for one due time and no other: one that comes again, late or from a former owner does nothing.
 */
export function wake(state: TaskState, command: Command & { type: 'Wake' }, head: Head, at: number, evidence: Evidence): Decision {
  if (lookup(state).wakeAt !== command.body.wakeAt) return NOTHING; // U5
  if (state.execution !== null) return wakeRunning(state, state.execution, command, at);
  if (state.status !== 'Scheduled') return NOTHING;
  const ready = mayStart(state, evidence);
  if (ready !== true) return ready === false ? NOTHING : ready;
  const { pendingRetry, schedule, nextExecution } = state;
  if (pendingRetry !== null && Date.parse(pendingRetry.at) <= at) {
    const { runId, attempt, context } = pendingRetry;
    return begin(state, command, head, at, {
      reason: `attempt ${attempt}`,
      context,
      run: { runId, attempt },
      scheduledFor: pendingRetry.at,
    });
  }
  if (schedule?.strategy === 'conditional') return check(state, command, head, at, evidence);
  if (schedule === null || nextExecution === null || Date.parse(nextExecution) > at) return NOTHING;
  if (pendingRetry !== null) return skip(state, schedule, nextExecution, at, 'overlap');
  return fire(state, schedule, nextExecution, command, head, at);
}

function wakeRunning(state: TaskState, execution: Execution, command: Command & { type: 'Wake' }, at: number): Decision {
  const deadline = deadlineAt(state, execution);
  if (deadline !== null && deadline <= at) {
    return fail(state, command, at, { code: 'deadline_exceeded', message: `It did not end within ${state.deadline}` }, true);
  }
  if (execution.startedAt !== null) {
    const heard = Math.max(Date.parse(execution.startedAt), command.body.silentSince ?? 0);
    if (heard + ms(HEARTBEAT_TIMEOUT) <= at) {
      return fail(
        state,
        command,
        at,
        { code: 'heartbeat_timeout', message: `Its executor has been silent for ${HEARTBEAT_TIMEOUT}` },
        true,
      );
    }
  }
  const { schedule, nextExecution } = state;
  if (schedule === null || nextExecution === null || Date.parse(nextExecution) > at) return NOTHING;
  return skip(state, schedule, nextExecution, at, 'overlap'); // only a recurring schedule stays while its task runs
}

/** U3: what was missed fires late, once, and says so; a task that would rather leave it out says that instead. */
function fire(state: TaskState, schedule: Schedule, dueAt: string, command: Command, head: Head, at: number): Decision {
  const lateMs = at - Date.parse(dueAt);
  const isMissed = lateMs > MISSED_AFTER_MS;
  const mayLeaveOut = schedule.strategy !== 'immediate' && state.cascade === null; // what somebody asked for now runs, whatever held it up
  if (isMissed && mayLeaveOut && state.onMissed === 'skip') {
    if (schedule.strategy === 'cron') return skip(state, schedule, dueAt, at, 'missed');
    return event('TaskCancelled', 'Cancelled', { reason: `missed: it was due at ${dueAt}`, executionId: null });
  }
  const dueTimes = schedule.strategy === 'cron' ? 1 + cronTimesBetween(schedule, Date.parse(dueAt), at, MOST_COUNTED).length : 1;
  return begin(state, command, head, at, {
    reason: `schedule: ${schedule.strategy}`,
    context: state.context,
    scheduledFor: dueAt,
    ...(schedule.strategy === 'cron' ? { nextExecution: nextAfter(schedule, Math.max(at, Date.parse(dueAt))) } : {}),
    ...(isMissed ? { missed: { lateMs, dueTimes } } : {}),
  });
}

/** U4: due times of a recurring schedule that are left out are an event, one for all up to now; the next one is counted from the schedule, never from the clock. */
function skip(state: TaskState, schedule: Schedule, dueAt: string, at: number, why: 'overlap' | 'missed'): Decision {
  if (schedule.strategy !== 'cron') return NOTHING;
  const next = nextAfter(schedule, Math.max(at, Date.parse(dueAt)));
  const dueTimes = 1 + cronTimesBetween(schedule, Date.parse(dueAt), at, MOST_COUNTED).length;
  return event('TaskRescheduled', state.status, {
    strategy: 'cron',
    schedule,
    previousSchedule: schedule,
    nextExecution: next,
    delayApplied: delayApplied({ kind: 'at', at: Date.parse(next) }, at),
    reason: why === 'overlap' ? 'left out: the run before had not ended' : 'left out: it was missed',
    skipped: { dueAt, dueTimes, why },
  });
}

function nextAfter(schedule: Schedule & { strategy: 'cron' }, after: number): string {
  const next = nextCronTime(schedule, after);
  if (next.kind === 'refused') throw new Error(`a cron schedule that the door let in is not valid: ${next.message}`);
  return formatInstant(next.at);
}

/** V3: fires when the conditions hold; firing ends the wait, so a second look finds nothing to do. */
export function check(state: TaskState, command: Command, head: Head, at: number, evidence: Evidence): Decision {
  const { schedule } = state;
  if (state.status !== 'Scheduled' || state.pendingRetry !== null) return NOTHING;
  const ready = mayStart(state, evidence);
  if (ready !== true) return ready === false ? NOTHING : ready;
  if (schedule?.strategy !== 'conditional') return state.cascade === null ? NOTHING : startRoot(state, command, head, at);
  const waits = waitsForDirect(state.tenantId, state.dependencies, schedule.conditions, evidence);
  if (waits !== false) return waits === true ? NOTHING : waits;
  const judged = judgeConditions(state.tenantId, state.taskId, state.dependencies, schedule.conditions, evidence, state.waitsFor);
  if ('kind' in judged) return judged.kind === 'needs' ? judged : NOTHING;
  if (!judged.met) return watchOn(state, unmetOf(judged));
  return begin(state, command, head, at, { reason: 'schedule: conditional', context: state.context, conditions: judged.verdict });
}

/** V5: a task that waits watches at least one task that is not yet as wanted. When all that it watched are, and its closure has more, it watches those. */
function watchOn(state: TaskState, unmet: string[]): Decision {
  const watched = new Set(lookup(state).waitsFor);
  if (unmet.length === 0 || unmet.some((id) => watched.has(id))) return NOTHING;
  return event('TaskChanged', state.status, { changes: {}, waitsFor: unmet });
}

/** X2: the last reset task's Check starts a root that is due; one that is not waits for its time. */
function startRoot(state: TaskState, command: Command, head: Head, at: number): Decision {
  const { schedule, nextExecution } = state;
  if (schedule === null || nextExecution === null || Date.parse(nextExecution) > at) return NOTHING;
  return fire(state, schedule, nextExecution, command, head, at);
}

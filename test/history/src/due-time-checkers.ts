import { parseDuration } from '@retrigger/domain/duration.ts';
import type { Event } from '@retrigger/domain/event.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Recorded, Violation } from './recorded.ts';
import { replay, type Step } from './replay.ts';

const SILENCE_MS = 60_000;

/** No due time is acted on early, twice, or without having been set; followed from event to event, without the states. */
export const dueTimesFireOnce = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) => followDueTimes(key, events));

function followDueTimes(key: string, events: Event[]): Violation[] {
  const violations: Violation[] = [];
  let [due, retry, isRecurring]: [string | null, string | null, boolean] = [null, null, false];
  const acted = ({ sequence, timestamp }: TaskEvent, dueAt: string, isSet: boolean) => {
    if (!isSet) violations.push(`${key}: ${sequence} acts on ${dueAt}, which is not due or was acted on before`);
    if (Date.parse(timestamp) < Date.parse(dueAt)) violations.push(`${key}: ${sequence} at ${timestamp} acts on ${dueAt}, before its time`);
  };
  for (const event of events as TaskEvent[]) {
    switch (event.eventType) {
      case 'TaskCreated':
      case 'TaskRescheduled': {
        const { schedule, nextExecution = null } = event.metadata;
        const skipped = event.eventType === 'TaskRescheduled' ? event.metadata.skipped : undefined;
        if (skipped !== undefined) acted(event, skipped.dueAt, skipped.dueAt === due);
        else [retry, isRecurring] = [null, schedule?.strategy === 'cron'];
        due = nextExecution;
        break;
      }
      case 'TaskFailed':
        retry = event.metadata.willRetry ? (event.metadata.nextExecution ?? null) : null;
        break;
      case 'TaskTriggered': {
        const { scheduledFor, nextExecution } = event.metadata;
        if (scheduledFor !== undefined) acted(event, scheduledFor, scheduledFor === retry || scheduledFor === due);
        retry = null;
        due = isRecurring ? (nextExecution ?? due) : null;
        break;
      }
      case 'TaskCancelled':
        [due, retry] = [null, null];
    }
  }
  return violations;
}

/** What fell due at an event, and when: a start by schedule or retry, a deadline, a silence. */
function dueAtOf({ event, before }: Step): number | undefined {
  if (event.eventType === 'TaskTriggered')
    return event.metadata.scheduledFor === undefined ? undefined : Date.parse(event.metadata.scheduledFor);
  if (event.eventType !== 'TaskFailed' || !before?.execution) return undefined;
  const { triggeredAt, startedAt } = before.execution;
  switch (event.metadata.error.code) {
    case 'deadline_exceeded':
      return Date.parse(triggeredAt) + (parseDuration(before.deadline ?? '') ?? Number.POSITIVE_INFINITY);
    case 'heartbeat_timeout':
      return startedAt === null ? Number.POSITIVE_INFINITY : Date.parse(startedAt) + SILENCE_MS;
    default:
      return undefined;
  }
}

/** No attempt is ended for its deadline or its executor's silence before that can have passed. */
export const endedInTime = ({ streams }: Recorded): Violation[] =>
  replay(streams).flatMap((step) => {
    const dueAt = dueAtOf(step);
    const { eventType, sequence, timestamp } = step.event;
    return dueAt === undefined || Date.parse(timestamp) >= dueAt
      ? []
      : [`${step.key}: ${eventType} ${sequence} at ${timestamp} is too early`];
  });

/** Every start and deadline came at most so late, by the events' own times; a patch may have moved a deadline into the past. For histories without faults. */
export const firedWithin = ({ streams }: Recorded, mostMs: number): Violation[] => {
  const changedAt = new Map<string, number>();
  return replay(streams).flatMap((step) => {
    const { key, event } = step;
    const at = Date.parse(event.timestamp);
    if (event.eventType === 'TaskChanged' || event.eventType === 'DependenciesChanged') changedAt.set(key, at);
    const isSilence = event.eventType === 'TaskFailed' && event.metadata.error.code === 'heartbeat_timeout';
    const dueAt = isSilence ? undefined : dueAtOf(step);
    const lateMs = dueAt === undefined ? 0 : at - Math.max(dueAt, changedAt.get(key) ?? 0);
    return lateMs <= mostMs ? [] : [`${key}: ${event.eventType} ${event.sequence} came ${lateMs} ms late`];
  });
};

/** Nothing was due before `at` (epoch ms) and is still not done. */
export const nothingIsOverdue = ({ states }: Recorded, at: number): Violation[] =>
  [...states].flatMap(([key, state]) => overdue(state as TaskState | undefined, at).map((what) => `${key}: ${what} is overdue`));

function overdue(state: TaskState | undefined, at: number): string[] {
  if (state === undefined) return [];
  const { status, nextExecution, pendingRetry, execution, deadline } = state;
  const passed = (instant: string | null | undefined) => instant != null && Date.parse(instant) < at;
  return [
    ...(status === 'Scheduled' && passed(nextExecution) ? ['its next execution'] : []),
    ...(passed(pendingRetry?.at) ? ['its next attempt'] : []),
    ...(execution !== null && deadline !== null && Date.parse(execution.triggeredAt) + (parseDuration(deadline) ?? 0) < at
      ? ['its deadline']
      : []),
  ];
}

import { TENANT_STREAM } from '@retrigger/domain/identifiers.ts';
import { sealedUnder } from '@retrigger/domain/privacy/sealed-value.ts';
import type { Schedule } from '@retrigger/domain/schedule.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { Notification } from '@retrigger/ports/channel.ts';

/** What a person reads: one line that says it all, and the details as label and text. Plain text; a channel escapes it in its own way. */
export type EventText = { headline: string; details: [string, string][] };

const LONGEST_TEXT = 500;

/** A notification in words. Events of types that this version does not know are told by their name. */
export function textOf({ about, timestamp }: Notification): EventText {
  if (about.kind === 'test') {
    return {
      headline: 'This is a test: the subscription works',
      details: [
        ['Subscription', about.subscriptionId],
        ['When', timestamp],
      ],
    };
  }
  const event = about.event as TaskEvent;
  const what = describe(event);
  return {
    headline: `${event.taskId === TENANT_STREAM ? 'The tenant' : `${about.isCritical ? 'Critical task' : 'Task'} ${event.taskId}`} ${what.said}`,
    details: [
      ...what.details.map(([label, text]): [string, string] => [label, short(text)]),
      ...(event.newState === null || event.newState === event.previousState
        ? []
        : [['Status', `${event.previousState ?? 'none'} → ${event.newState}`] satisfies [string, string]]),
      ['By', event.actor.type === 'user' ? event.actor.id : `${event.actor.id} (${event.actor.type})`],
      ['When', event.timestamp],
      ['Event', event.eventId],
    ],
  };
}

type Said = { said: string; details: [string, string][] };

function describe(event: TaskEvent): Said {
  switch (event.eventType) {
    case 'TaskCreated':
      return { said: 'was created', details: [['Type', event.metadata.type]] };
    case 'TaskTriggered': {
      const { triggerReason, attempt } = event.metadata;
      const which = attempt > 1 ? ` (attempt ${attempt})` : '';
      return { said: `was triggered${which}`, details: triggerReason === null ? [] : [['Reason', triggerReason]] };
    }
    case 'TaskRescheduled': {
      const { schedule, previousSchedule, nextExecution, reason } = event.metadata;
      const next = nextExecution === null ? 'when its conditions hold' : `at ${nextExecution}`;
      return {
        said: `was rescheduled: it runs next ${next}`,
        details: [
          ['Schedule', scheduleText(schedule)],
          ['Before', scheduleText(previousSchedule)],
          ...(reason === undefined ? [] : [['Reason', reason] satisfies [string, string]]),
        ],
      };
    }
    case 'TaskStarted':
      return { said: 'has started', details: [] };
    case 'TaskCompleted':
      return { said: 'has completed', details: [] };
    case 'TaskFailed': {
      const { error, willRetry, nextExecution } = event.metadata;
      const then = willRetry ? `; it is tried again${nextExecution === undefined ? '' : ` at ${nextExecution}`}` : '';
      return { said: `has failed${then}`, details: [['Error', `${short(error.message)} (${error.code})`]] };
    }
    case 'TaskCancelled':
      return { said: 'was cancelled', details: event.metadata.reason === null ? [] : [['Reason', event.metadata.reason]] };
    case 'CommandRefused':
      return { said: `refused ${event.metadata.command}: ${event.metadata.title}`, details: [['Detail', event.metadata.detail]] };
    default:
      return { said: `has a new event, ${event.eventType}`, details: [] };
  }
}

function scheduleText(schedule: Schedule | null): string {
  if (schedule === null) return 'none';
  switch (schedule.strategy) {
    case 'cron':
      return `cron ${schedule.cron}${schedule.timeZone === undefined ? '' : ` (${schedule.timeZone})`}`;
    case 'at':
      return `at ${schedule.at}`;
    case 'conditional':
      return 'when conditions hold';
    case 'exponential_backoff':
      return `backoff from ${schedule.baseDelay}`;
    default:
      return schedule.strategy;
  }
}

/** What a sensitive task holds stays sealed. */
function short(text: string): string {
  if (sealedUnder(text) !== undefined) return '(sealed)';
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}

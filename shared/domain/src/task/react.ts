import type { Command, CommandHeader } from '../command.ts';
import { derive, taskKey } from '../identifiers.ts';
import type { Schedule } from '../schedule.ts';
import type { TaskCommandBody } from './commands.ts';
import type { TaskEvent } from './events.ts';

/** Who acts when nobody asked just now: a due time, a condition that came true. */
const SCHEDULER = { id: 'scheduler', type: 'system' } as const;

/** The cluster's own command to a task. `about` makes its id: the same cause gives the same command. */
function ownCommand<B extends TaskCommandBody>(
  tenantId: string,
  taskId: string,
  about: (string | number)[],
  correlationId: string,
  body: B,
  traceparent?: string,
): CommandHeader & B {
  const commandId = derive(body.type, taskKey(tenantId, taskId), ...about);
  return {
    commandId,
    tenantId,
    taskId,
    actor: SCHEDULER,
    roles: [],
    correlationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...body,
  };
}

/** The command that makes a task look at its due times. One of its own for every `sentAt`: one due time may need several looks, and each may lead to an event. */
export const wakeCommand = (tenantId: string, taskId: string, wakeAt: number, silentSince: number | null, sentAt: number): Command =>
  ownCommand(tenantId, taskId, [wakeAt, sentAt], derive('due', taskKey(tenantId, taskId), wakeAt), {
    type: 'Wake',
    body: { wakeAt, silentSince },
  });

export function react(event: TaskEvent, command: Command): Command[] {
  const { tenantId, taskId, eventId, eventType, correlationId, traceparent } = event;
  switch (eventType) {
    case 'TaskCreated':
      return firstLook(event, event.metadata.schedule, event.metadata.nextExecution);
    case 'CommandRefused': {
      const { cascade } = event.metadata;
      return cascade === undefined ? [] : [resetSeen(event, cascade.root)];
    }
    case 'TaskRescheduled': {
      const { schedule, nextExecution, cascade, skipped } = event.metadata;
      if (skipped !== undefined) return [];
      if (cascade === undefined) return firstLook(event, schedule, nextExecution);
      const { id: cascadeId, root, tasks, sequence } = cascade;
      // X2: every reset tells the root, which looks whether it was the last; so does the root itself, for a closure that is empty.
      if (root !== taskId) return [resetSeen(event, root)];
      const resets = tasks.map((id) =>
        ownCommand(
          tenantId,
          id,
          [eventId],
          correlationId,
          { type: 'ResetTask' as const, body: { cascadeId, root, sequence } },
          traceparent,
        ),
      );
      return [...resets, ownCommand(tenantId, taskId, [eventId, 'check'], correlationId, { type: 'Check', body: {} }, traceparent)];
    }
    case 'DependenciesProposed': {
      const { actor, roles, fingerprint, replyTo, commandId } = command;
      const confirmation = ownCommand(
        tenantId,
        taskId,
        [eventId],
        correlationId,
        { type: 'ConfirmDependencies', body: { proposal: commandId } },
        traceparent,
      );
      // It decides in the caller's name and gives the caller's answer.
      return [
        {
          ...confirmation,
          actor,
          roles,
          ...(fingerprint === undefined ? {} : { fingerprint }),
          ...(replyTo === undefined ? {} : { replyTo }),
          answersTo: commandId,
        },
      ];
    }
    case 'TaskChanged': // V2
      if (event.metadata.waitsFor === undefined) return [];
      return [ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'Check', body: {} }, traceparent)];
    case 'DependenciesChanged': // what it waits for may be another now, and fulfilled
      return [ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'Check', body: {} }, traceparent)];
    default:
      return [];
  }
}

const resetSeen = ({ tenantId, eventId, correlationId, traceparent }: TaskEvent, root: string): Command =>
  ownCommand(tenantId, root, [eventId], correlationId, { type: 'Check', body: {} }, traceparent);

/** V2: whoever starts to wait looks once its snapshot is saved; what is due at once need not wait for the clock. */
function firstLook(
  { tenantId, taskId, eventId, correlationId, traceparent }: TaskEvent,
  schedule: Schedule | undefined,
  nextExecution: string | null | undefined,
): Command[] {
  if (schedule?.strategy === 'conditional')
    return [ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'Check', body: {} }, traceparent)];
  if (schedule?.strategy !== 'immediate' || nextExecution == null) return [];
  const body = { wakeAt: Date.parse(nextExecution), silentSince: null };
  return [ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'Wake', body }, traceparent)];
}

/** V4: a run that has ended for good may be what others wait for; dependencies that changed may be what was missing in their closure. */
export function announce({
  eventType,
  metadata,
  tenantId,
  eventId,
  correlationId,
  traceparent,
}: TaskEvent): ((waitingTaskId: string) => Command) | undefined {
  const hasEnded = eventType === 'TaskCompleted' || (eventType === 'TaskFailed' && !metadata.willRetry);
  if (!hasEnded && eventType !== 'DependenciesChanged') return undefined;
  return (taskId) => ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'Check', body: {} }, traceparent);
}

/** A decision in two steps is known by both its commands, a claim by what it was asked for with as well. */
export function commandsOf({ commandId, metadata }: TaskEvent): string[] {
  const proposal = 'proposal' in metadata ? metadata.proposal : undefined;
  const claim = 'claim' in metadata ? metadata.claim : undefined;
  return [commandId, proposal ?? [], claim ?? []].flat();
}

import type { TaskResult } from '../bulk/commands.ts';
import { itemError } from '../bulk/outcome.ts';
import type { Command } from '../command.ts';
import { bulkName } from '../identifiers.ts';
import type { RefusalCode } from '../refusal.ts';
import type { TaskEvent } from './events.ts';
import { ownCommand } from './own-command.ts';

/** What a task's event means for bulks: one is told what came of its item, and those that wait for the task may have it when a reservation has ended. */
export function reactToBulk(event: TaskEvent, command: Command): Command[] {
  const { tenantId, taskId, eventId, correlationId, traceparent, metadata } = event;
  const own = 'bulkId' in metadata ? metadata.bulkId : undefined;
  const bulkId = own ?? command.bulkId;
  if (bulkId === undefined) return [];
  const result = resultOf(event);
  const body = { results: result === undefined ? [] : [result] };
  const gathered =
    result === undefined
      ? []
      : [ownCommand(tenantId, bulkName(bulkId), [eventId], correlationId, { type: 'GatherResults' as const, body }, traceparent)];
  const next = ('next' in metadata ? metadata.next : undefined) ?? [];
  const retries = next.map((other) =>
    ownCommand(
      tenantId,
      taskId,
      [eventId, other],
      correlationId,
      { type: 'RetryReservation' as const, body: { bulkId: other } },
      traceparent,
    ),
  );
  return [...gathered, ...retries, ...lookAgain(event, bulkId)];
}

function resultOf({ eventType, taskId, metadata }: TaskEvent): TaskResult | undefined {
  switch (eventType) {
    case 'TaskTriggered':
      return { taskId, kind: 'accepted', executionId: metadata.executionId };
    case 'TaskRescheduled': {
      const { nextExecution } = metadata;
      return { taskId, kind: 'accepted', ...(nextExecution === null ? {} : { nextExecution }) };
    }
    case 'CommandRefused': {
      const { code, detail, more } = metadata;
      const refusal = { code: code as RefusalCode, detail, ...(more === undefined ? {} : { more }) };
      return { taskId, kind: 'refused', error: itemError(refusal) };
    }
    case 'TaskReserved':
      return metadata.planned === undefined ? undefined : { taskId, kind: 'reserved' };
    case 'TaskReleased':
      return { taskId, kind: 'released' };
    default:
      return undefined;
  }
}

/** Edges that were stored are checked now that everybody sees them; what a reservation kept waiting is looked at when it was let go. */
function lookAgain({ eventType, tenantId, taskId, eventId, correlationId, traceparent, metadata }: TaskEvent, bulkId: string): Command[] {
  if (eventType === 'TaskReserved' && metadata.planned === undefined && metadata.waitsFor === undefined) {
    const body = { bulkId };
    return [ownCommand(tenantId, taskId, [eventId], correlationId, { type: 'ConfirmReservation', body }, traceparent)];
  }
  if (eventType !== 'TaskReleased') return [];
  return [ownCommand(tenantId, taskId, [eventId, 'check'], correlationId, { type: 'Check', body: {} }, traceparent)];
}

import type { Event } from '@retrigger/domain/event.ts';
import type { Notification } from '@retrigger/ports/channel.ts';

/** An event of task `deploy-42`, as a channel is given it. */
export function notification(eventType: string, metadata: Event['metadata'], more: Partial<Event> = {}, isCritical = false): Notification {
  const event: Event = {
    ...{ eventId: 'e.0000000004', eventType, schemaVersion: 1, tenantId: 'acme', taskId: 'deploy-42', sequence: 4 },
    ...{ timestamp: '2026-03-01T10:00:00.000Z', actor: { id: 'ann', type: 'user' }, commandId: 'c', correlationId: 'r' },
    ...{ previousState: 'Running', newState: 'Failed', metadata, previousHash: '0'.repeat(64), hash: 'f'.repeat(64) },
    ...more,
  };
  return { id: event.eventId, timestamp: event.timestamp, about: { kind: 'event', event, json: JSON.stringify(event), isCritical } };
}

export const FAILED = notification('TaskFailed', {
  error: { code: 'boom', message: 'disk <full> & hot' },
  willRetry: true,
  nextExecution: 'T',
});

import { type Event, NO_HASH, type StoredEvent } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { eventId, taskKey } from '@retrigger/domain/identifiers.ts';

/** A sealed event, the first of its task. */
export function sampleEvent(): StoredEvent {
  const key = taskKey('acme', 'invoice-7');
  const { event, json } = sealEvent<Event>({
    eventId: eventId(key, 1),
    eventType: 'TaskCreated',
    schemaVersion: 1,
    tenantId: 'acme',
    taskId: 'invoice-7',
    sequence: 1,
    timestamp: '2026-03-01T12:34:56.789Z',
    actor: { id: 'ada', type: 'user' },
    commandId: 'c1',
    correlationId: 'c1',
    previousState: null,
    newState: 'Draft',
    metadata: { type: 'invoice', owner: 'ada', context: { größe: [1, 2.5, null] } },
    previousHash: NO_HASH,
  });
  return { key, event, json, position: { partition: 0, offset: 0, at: 0 } };
}

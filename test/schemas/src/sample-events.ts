import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import { NO_HASH } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { eventId, taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

/** A sealed event with the given parts; the rest is ordinary. */
export function sampleEvent(parts: Partial<Event> = {}): StoredEvent {
  const { event, json } = sealEvent<Event>({
    eventId: eventId(taskKey('acme', 'invoice-7'), parts.sequence ?? 2),
    eventType: 'TaskTriggered',
    schemaVersion: 1,
    tenantId: 'acme',
    taskId: 'invoice-7',
    sequence: 2,
    timestamp: '2026-03-01T12:34:56.789Z',
    actor: { id: 'ada', type: 'user' },
    commandId: 'AbCdEfGhIjKlMnOpQrStUv',
    correlationId: 'AbCdEfGhIjKlMnOpQrStUv',
    previousState: 'Draft',
    newState: 'Running',
    metadata: SAMPLE_METADATA,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    previousHash: NO_HASH,
    ...parts,
  });
  return { key: taskKey(event.tenantId, event.taskId), event, json, position: { partition: 3, offset: 41, at: 1_772_368_496_789 } };
}

const SAMPLE_METADATA: JsonObject = {
  executionId: 'invoice-7.AbCdEfGhIjKlMnOpQrStUv',
  runId: 'run_AbCdEfGhIjKlMnOpQrStUv',
  attempt: 1,
  triggerReason: 'month’s end — größer',
  context: { customer: 4711, lines: [{ sku: 'a-1', amount: 12.5 }, null, true], note: null },
  estimatedCompletion: '2026-03-01T12:35:26.789Z',
};

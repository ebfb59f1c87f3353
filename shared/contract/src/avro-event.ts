import type { Actor } from '@retrigger/domain/command.ts';
import type { Event } from '@retrigger/domain/event.ts';
import type { OpenEvent, Sealed } from '@retrigger/domain/privacy/sealed-form.ts';
import { isJsonObject } from './fields.ts';

/**
 * An event as its Avro record (schemas/retrigger.events-value.avsc).
 * The envelope is typed, the metadata is JSON text. A union of one record for each event type would be typed further, but only as far as `context`,
 * `result` and `equals`, which are free JSON anyway; and a reader that does not know a branch can't read the event at all, so each
 * new event type would break every consumer. For the same reason event types and states are texts and no enums.
 */
export type AvroEvent = Omit<Event, 'timestamp' | 'metadata' | 'traceparent'> & {
  /** Epoch milliseconds. */
  timestamp: number;
  metadata: string;
  traceparent: string | null;
  sealed: string | null;
};

export const toAvro = (event: OpenEvent): AvroEvent => ({
  ...event,
  timestamp: Date.parse(event.timestamp),
  metadata: JSON.stringify(event.metadata),
  traceparent: event.traceparent ?? null,
  sealed: event.sealed === undefined ? null : JSON.stringify(event.sealed),
});

/** The same event again, so that its hash can be computed anew; undefined when its JSON texts are no objects. */
export function fromAvro(record: AvroEvent): OpenEvent | undefined {
  const metadata = parsed(record.metadata);
  const sealed = record.sealed === null ? null : parsed(record.sealed);
  if (!isJsonObject(metadata) || (sealed !== null && !isJsonObject(sealed))) return undefined;
  return {
    eventId: record.eventId,
    eventType: record.eventType,
    schemaVersion: record.schemaVersion,
    tenantId: record.tenantId,
    taskId: record.taskId,
    sequence: record.sequence,
    timestamp: new Date(record.timestamp).toISOString(),
    actor: { id: record.actor.id, type: record.actor.type as Actor['type'] },
    commandId: record.commandId,
    correlationId: record.correlationId,
    previousState: record.previousState,
    newState: record.newState,
    metadata,
    ...(record.traceparent === null ? {} : { traceparent: record.traceparent }),
    previousHash: record.previousHash,
    hash: record.hash,
    ...(sealed === null ? {} : { sealed: sealed as Sealed }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

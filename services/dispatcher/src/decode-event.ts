import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';

/** What is kept of a TaskTriggered: little, for many may wait. Its context is read from the snapshot when the call begins. */
export type Triggered = {
  key: string;
  tenantId: string;
  taskId: string;
  sequence: number;
  executionId: string;
  correlationId: string;
  traceparent: string | undefined;
};

export type DecodedEvent = { kind: 'triggered'; event: Triggered } | { kind: 'other' } | { kind: 'undecodable'; reason: string };

/** Reads what the dispatcher needs of an event that may ask for a call. The header spares the reading of all other types. Rejects only when the codec does. */
export async function decodeEvent(record: LogRecord, codec: Pick<EventCodec, 'decode'>): Promise<DecodedEvent> {
  const { eventType } = record.headers;
  if (eventType !== undefined && eventType !== 'TaskTriggered') return { kind: 'other' };
  const read = await codec.decode(record.value);
  if (read.kind === 'undecodable') return read;
  const event = read.event as Partial<TaskEvent & { eventType: 'TaskTriggered' }>;
  if (event.eventType !== 'TaskTriggered') return { kind: 'other' };
  const { tenantId, taskId, sequence, metadata, correlationId, traceparent } = event;
  if (typeof tenantId !== 'string' || typeof taskId !== 'string' || taskKey(tenantId, taskId) !== record.key) {
    return undecodable("the event is not of the task in the record's key");
  }
  const executionId = metadata?.executionId;
  if (typeof sequence !== 'number' || typeof correlationId !== 'string' || typeof executionId !== 'string') {
    return undecodable('the event lacks its sequence, correlationId or executionId');
  }
  if (metadata?.hasTarget === false) return { kind: 'other' }; // T9
  return { kind: 'triggered', event: { key: record.key, tenantId, taskId, sequence, executionId, correlationId, traceparent } };
}

const undecodable = (reason: string): DecodedEvent => ({ kind: 'undecodable', reason });

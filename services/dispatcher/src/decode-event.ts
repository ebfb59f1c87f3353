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

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads what the dispatcher needs of an event in JSON. The header spares the reading of all other types. Never throws. */
export function decodeEvent(record: LogRecord): DecodedEvent {
  const { eventType } = record.headers;
  if (eventType !== undefined && eventType !== 'TaskTriggered') return { kind: 'other' };
  let event: Partial<TaskEvent & { eventType: 'TaskTriggered' }> | null;
  try {
    event = JSON.parse(decoder.decode(record.value));
  } catch (error) {
    return undecodable(error instanceof SyntaxError ? 'the value is not JSON' : 'the value is not valid UTF-8');
  }
  if (typeof event !== 'object' || event === null || typeof event.eventType !== 'string') return undecodable('the value is not an event');
  if (event.eventType !== 'TaskTriggered') return { kind: 'other' };
  const { tenantId, taskId, sequence, metadata, correlationId, traceparent } = event;
  if (typeof tenantId !== 'string' || typeof taskId !== 'string' || taskKey(tenantId, taskId) !== record.key) {
    return undecodable("the event is not of the task in the record's key");
  }
  const executionId = metadata?.executionId;
  if (typeof sequence !== 'number' || typeof correlationId !== 'string' || typeof executionId !== 'string') {
    return undecodable('the event lacks its sequence, correlationId or executionId');
  }
  return { kind: 'triggered', event: { key: record.key, tenantId, taskId, sequence, executionId, correlationId, traceparent } };
}

const undecodable = (reason: string): DecodedEvent => ({ kind: 'undecodable', reason });

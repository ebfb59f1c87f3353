import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import { isJsonObject } from './fields.ts';

export type ReadEvent = { kind: 'event'; event: Event } | { kind: 'undecodable'; reason: string };

/**
 * How events stand on the events topic: JSON when embedded, Avro in a cluster. Both carry the same event, so what a reader gets does not depend on which.
 * `decode` rejects only when the schema registry can't be asked; what can't be read is a value.
 */
export type EventCodec = {
  encode(stored: StoredEvent): Uint8Array;
  decode(value: Uint8Array): Promise<ReadEvent>;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The event's own JSON, byte for byte as it was hashed and stored. */
export const jsonEvents: EventCodec = {
  encode: ({ json }) => encoder.encode(json),
  decode: async (value) => readJsonEvent(value),
};

/** The fields that every event has are looked at, no more: a reader takes events of versions that it does not know. */
export function readJsonEvent(value: Uint8Array): ReadEvent {
  let event: unknown;
  try {
    event = JSON.parse(decoder.decode(value));
  } catch (error) {
    return undecodable(error instanceof SyntaxError ? 'the value is not JSON' : 'the value is not valid UTF-8');
  }
  if (!isJsonObject(event)) return undecodable('the value is not an object');
  const wrong = Object.entries(ENVELOPE).find(([name, type]) => typeof event[name] !== type);
  return wrong === undefined ? { kind: 'event', event: event as unknown as Event } : undecodable(`${wrong[0]} is not a ${wrong[1]}`);
}

const ENVELOPE = {
  eventId: 'string',
  eventType: 'string',
  tenantId: 'string',
  taskId: 'string',
  sequence: 'number',
  timestamp: 'string',
  actor: 'object',
  metadata: 'object',
};

export const undecodable = (reason: string): ReadEvent => ({ kind: 'undecodable', reason });

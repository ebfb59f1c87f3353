import { deadLetter, type UndeliveredHeaders } from '@retrigger/engine/dead-letters.ts';
import type { Delivery } from '@retrigger/engine/deliveries.ts';
import { type NewRecord, TOPICS } from '@retrigger/ports/log.ts';

/** The dead letter of a notification: the event's record as it stood in the topic, with who was to be told. */
export function undelivered(
  { subscriptionId, id, event, source, attempts }: Pick<Delivery, 'subscriptionId' | 'id' | 'event' | 'source' | 'attempts'>,
  value: Uint8Array,
  reason: string,
): NewRecord {
  const headers: UndeliveredHeaders = {
    subscription: subscriptionId,
    delivery: id,
    sequence: String(event?.sequence ?? ''),
    attempts: String(attempts),
  };
  return deadLetter({ key: event?.key ?? '', value, headers, topic: TOPICS.events, ...source }, reason);
}

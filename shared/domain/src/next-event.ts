import type { Command } from './command.ts';
import type { NewEvent } from './decider.ts';
import type { Event, Head, Position, StoredEvent } from './event.ts';
import { sealEvent } from './event-hash.ts';
import { eventId, taskKey } from './identifiers.ts';

/** D2: time never goes back inside a stream, nor behind `notBefore` (epoch ms), whatever the log's clock does. */
export const decisionTime = (head: Head, position: Position, notBefore = 0): number => Math.max(head.at, position.at, notBefore);

/**
 * Puts a decision into its envelope, named after the stream's end and chained to it.
 * D3: everything in it comes from the command, the state and the log's time, so whoever decides the same command makes the same bytes. (`notBefore` is later than
 * the log's time only when that has gone back; then two owners' bytes may differ, and the first stay.)
 */
export function nextEvent(
  head: Head,
  previousState: string | null,
  command: Command,
  decision: NewEvent,
  position: Position,
  notBefore = 0,
): StoredEvent {
  const key = taskKey(command.tenantId, command.taskId);
  const sequence = head.sequence + 1;
  const { event, json } = sealEvent<Event>({
    eventId: eventId(key, sequence),
    eventType: decision.eventType,
    schemaVersion: decision.schemaVersion,
    tenantId: command.tenantId,
    taskId: command.taskId,
    sequence,
    timestamp: new Date(decisionTime(head, position, notBefore)).toISOString(),
    actor: command.actor,
    commandId: command.commandId,
    correlationId: command.correlationId,
    previousState,
    newState: decision.newState,
    metadata: decision.metadata,
    ...(command.traceparent === undefined ? {} : { traceparent: command.traceparent }),
    previousHash: head.hash,
  });
  return { key, event, json, position };
}

/** The head after an event. */
export const headAfter = ({ event, position }: StoredEvent): Head => ({
  sequence: event.sequence,
  hash: event.hash,
  at: Date.parse(event.timestamp),
  position,
});

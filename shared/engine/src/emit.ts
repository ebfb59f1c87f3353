import type { Command } from '@retrigger/domain/command.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { KeyDecisions } from './decide-batch.ts';

const encoder = new TextEncoder();

/** The record of an event on the events topic. */
export const eventRecord = ({ key, event, json }: StoredEvent): NewRecord => ({
  key,
  value: encoder.encode(json),
  headers: {
    eventType: event.eventType,
    commandId: event.commandId,
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
  },
});

/** Step 7: events, follow-up commands and dead letters, all durable when this resolves. May repeat what was emitted before a crash. */
export async function emitDecisions(
  ports: { log: Log; encode(command: Command): NewRecord },
  decisions: Map<string, KeyDecisions>,
  dead: NewRecord[],
): Promise<void> {
  const events: NewRecord[] = [];
  const followUps: NewRecord[] = [];
  for (const made of decisions.values()) {
    for (const stored of made.emitted) events.push(eventRecord(stored));
    for (const command of made.followUps) followUps.push(ports.encode(command));
  }
  const appends: Promise<void>[] = [];
  if (events.length > 0) appends.push(ports.log.append(TOPICS.events, events));
  if (followUps.length > 0) appends.push(ports.log.append(TOPICS.work, followUps));
  if (dead.length > 0) appends.push(ports.log.append(TOPICS.deadLetters, dead));
  await Promise.all(appends);
}

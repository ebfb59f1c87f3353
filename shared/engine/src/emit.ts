import type { Command } from '@retrigger/domain/command.ts';
import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { type Log, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { AnyDecider } from './aggregate.ts';
import type { KeyDecisions } from './decide-batch.ts';
import { waitingFor } from './waiting-for.ts';

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

type EmitPorts = { log: Log; snapshots: SnapshotStore; decider: AnyDecider; encode(command: Command): NewRecord };

/**
 * Step 7: events, follow-up commands and dead letters, all durable when this resolves. May repeat what was emitted before a crash.
 * G1 (store, then look): who waits for an ended task is looked up only after the end has been saved; whoever starts to wait saves that first and looks then. One of the two sees the other.
 */
export async function emitDecisions(ports: EmitPorts, decisions: Map<string, KeyDecisions>, dead: NewRecord[]): Promise<void> {
  const events: NewRecord[] = [];
  const followUps: NewRecord[] = [];
  const announced: Promise<Command[]>[] = [];
  for (const made of decisions.values()) {
    for (const stored of made.emitted) {
      events.push(eventRecord(stored));
      announced.push(announcements(ports, stored.event));
    }
    for (const command of made.followUps) followUps.push(ports.encode(command));
  }
  for (const commands of await Promise.all(announced)) for (const command of commands) followUps.push(ports.encode(command));
  const appends: Promise<void>[] = [];
  if (events.length > 0) appends.push(ports.log.append(TOPICS.events, events));
  if (followUps.length > 0) appends.push(ports.log.append(TOPICS.work, followUps));
  if (dead.length > 0) appends.push(ports.log.append(TOPICS.deadLetters, dead));
  await Promise.all(appends);
}

async function announcements({ snapshots, decider }: EmitPorts, event: Event): Promise<Command[]> {
  const announce = decider.announce(event);
  return announce === undefined ? [] : (await waitingFor(snapshots, taskKey(event.tenantId, event.taskId))).map(announce);
}

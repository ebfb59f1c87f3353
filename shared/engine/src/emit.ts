import type { Command } from '@retrigger/domain/command.ts';
import type { Event, StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { type Log, MOST_RECORD_BYTES, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import type { AnyDecider } from './aggregate.ts';
import type { KeyDecisions } from './key-decisions.ts';
import { waitingFor } from './waiting-for.ts';

/** An event's value on the events topic. */
export type EncodeEvent = (stored: StoredEvent) => Uint8Array;

/** The record of an event on the events topic. */
function eventRecord(stored: StoredEvent, encode: EncodeEvent): NewRecord {
  const { eventType, commandId, traceparent } = stored.event;
  return {
    key: stored.key,
    value: encode(stored),
    headers: { eventType, commandId, ...(traceparent === undefined ? {} : { traceparent }) },
  };
}

/** Less what headers, framing and the names of people add. */
const MOST_EVENT_BYTES = MOST_RECORD_BYTES - 64 * 1024;

/** Whether a topic takes an event's record: one that it does not would hold up everything behind it for ever. */
export const fitsTopic = ({ json }: StoredEvent): boolean =>
  json.length * 3 <= MOST_EVENT_BYTES || Buffer.byteLength(json) <= MOST_EVENT_BYTES;

/** Events as readers outside may see them. */
export type ShowEvents = (stored: StoredEvent[]) => Promise<StoredEvent[]>;

type EmitPorts = {
  log: Log;
  snapshots: SnapshotStore;
  decider: AnyDecider;
  encode(command: Command): NewRecord;
  encodeEvent: EncodeEvent;
  /** Absent where nobody outside reads the events topic: it holds them as they are stored. */
  showEvents?: ShowEvents;
};

/**
 * Step 7: events, follow-up commands and dead letters, all durable when this resolves. May repeat what was emitted before a crash.
 * G1 (store, then look): who waits for an ended task is looked up only after the end has been saved; whoever starts to wait saves that first and looks then. One of the two sees the other.
 */
export async function emitDecisions(ports: EmitPorts, decisions: Iterable<KeyDecisions>, dead: NewRecord[]): Promise<void> {
  const emitted: StoredEvent[] = [];
  const commands: Command[] = [];
  const announced: Promise<Command[]>[] = [];
  for (const made of decisions) {
    for (const stored of made.emitted) {
      if (ports.decider.isTold(stored.event)) emitted.push(stored);
      announced.push(announcements(ports, stored.event));
    }
    commands.push(...made.followUps);
  }
  const followUps = ports.decider.join(commands).map(ports.encode);
  for (const checks of await Promise.all(announced)) for (const command of checks) followUps.push(ports.encode(command));
  const shown = ports.showEvents === undefined ? emitted : await ports.showEvents(emitted);
  await Promise.all([
    appendInParts(
      ports.log,
      TOPICS.events,
      shown.map((stored) => eventRecord(stored, ports.encodeEvent)),
    ),
    appendInParts(ports.log, TOPICS.work, followUps),
    appendInParts(ports.log, TOPICS.deadLetters, dead),
  ]);
}

const MOST_AT_ONCE = 1_000;
const MOST_BYTES_AT_ONCE = 1_048_576;

/** E4: an end that 10,000 tasks wait for is not one request: parts follow each other, none larger than a broker takes; a record that is larger goes alone. */
async function appendInParts(log: Log, topic: string, records: NewRecord[]): Promise<void> {
  for (let from = 0; from < records.length; ) {
    let [to, bytes] = [from, 0];
    do bytes += records[to++]?.value.length ?? 0;
    while (to < records.length && to - from < MOST_AT_ONCE && bytes + (records[to]?.value.length ?? 0) <= MOST_BYTES_AT_ONCE);
    await log.append(topic, records.slice(from, to));
    from = to;
  }
}

async function announcements({ snapshots, decider }: EmitPorts, event: Event): Promise<Command[]> {
  const announce = decider.announce(event);
  return announce === undefined ? [] : (await waitingFor(snapshots, taskKey(event.tenantId, event.taskId))).map(announce);
}

import { type Event, NO_HASH, type Position, type StoredEvent } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { eventId, taskKey } from '@retrigger/domain/identifiers.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';

/** 2026-03-01T00:00:00Z, where sample times begin; each event is a minute after the one before. */
export const SAMPLE_START_MS = Date.UTC(2026, 2, 1);
export const MINUTE_MS = 60_000;

const TYPES = ['TaskTriggered', 'TaskStarted', 'TaskCompleted'] as const;

export type SampleEvent = { tenantId: string; taskId: string; sequence: number; actorId?: string; text?: string; previousHash?: string };

/** The same arguments make the same event. `text` tells apart what two writers wrote under one name. */
export function sampleEvent({
  tenantId,
  taskId,
  sequence,
  actorId,
  text = 'déjà vu 🚀',
  previousHash = NO_HASH,
}: SampleEvent): StoredEvent {
  const key = taskKey(tenantId, taskId);
  const sealed = sealEvent<Event>({
    eventId: eventId(key, sequence),
    eventType: TYPES[(sequence - 1) % TYPES.length] ?? 'TaskTriggered',
    schemaVersion: 1,
    tenantId,
    taskId,
    sequence,
    timestamp: new Date(SAMPLE_START_MS + sequence * MINUTE_MS).toISOString(),
    actor: { id: actorId ?? `user-${sequence % 2}`, type: 'user' },
    commandId: `command-${tenantId}-${taskId}-${sequence}`,
    correlationId: 'correlation',
    previousState: sequence === 1 ? null : 'Scheduled',
    newState: 'Scheduled',
    metadata: { text, nested: { list: [1, null, 'three'] } },
    previousHash,
  });
  return { key, ...sealed, position: samplePosition(sequence) };
}

export const samplePosition = (sequence: number): Position => ({
  partition: 3,
  offset: 100 + sequence,
  at: SAMPLE_START_MS + sequence * MINUTE_MS,
});

/** Events 1 to `count` of one task, chained. */
export function sampleStream(tenantId: string, taskId: string, count: number): StoredEvent[] {
  const events: StoredEvent[] = [];
  for (let sequence = 1; sequence <= count; sequence++) {
    events.push(sampleEvent({ tenantId, taskId, sequence, previousHash: events.at(-1)?.event.hash ?? NO_HASH }));
  }
  return events;
}

/** First of each stream, second of each, and so on. */
export function inRounds<T>(streams: T[][]): T[] {
  const longest = Math.max(0, ...streams.map((stream) => stream.length));
  return Array.from({ length: longest }, (_, round) => streams.flatMap((stream) => stream.slice(round, round + 1))).flat();
}

/** The receipt of a sample event. */
export function sampleReceipt({ key, event, position }: StoredEvent, more: Partial<Receipt> = {}): Receipt {
  return {
    commandId: event.commandId,
    tenantId: event.tenantId,
    actorId: event.actor.id,
    key,
    type: 'TriggerTask',
    sequence: event.sequence,
    fingerprint: { context: 'abc', '?force': 'def' },
    outcome: { kind: 'accepted', answer: { taskId: event.taskId, nested: { a: [1, 2] } } },
    position,
    ...more,
  };
}

/** The snapshot after a sample event. */
export function sampleSnapshot({ key, event, position }: StoredEvent, more: Partial<Snapshot> = {}): Snapshot {
  return {
    key,
    tenantId: event.tenantId,
    taskId: event.taskId,
    partition: position.partition,
    head: { sequence: event.sequence, hash: event.hash, at: Date.parse(event.timestamp), position },
    state: { status: 'Scheduled', at: event.sequence, text: 'ünïcode', gone: null },
    status: 'Scheduled',
    type: 'deploy',
    wakeAt: null,
    wakeKind: 'due',
    waitsFor: [],
    claimableSince: null,
    ...more,
  };
}

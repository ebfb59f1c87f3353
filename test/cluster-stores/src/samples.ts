import type { StoredEvent } from '@retrigger/domain/event.ts';
import { sealEvent } from '@retrigger/domain/event-hash.ts';
import { eventId, taskKey } from '@retrigger/domain/identifiers.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';

const NOON = Date.UTC(2026, 0, 15, 12);

export function storedEvent(
  taskId: string,
  sequence: number,
  more: { eventType?: string; actorId?: string; note?: string } = {},
): StoredEvent {
  const key = taskKey('acme', taskId);
  const at = NOON + sequence * 1_000;
  const { event, json } = sealEvent({
    eventId: eventId(key, sequence),
    eventType: more.eventType ?? 'TaskTriggered',
    schemaVersion: 1,
    tenantId: 'acme',
    taskId,
    sequence,
    timestamp: new Date(at).toISOString(),
    actor: { id: more.actorId ?? 'ann', type: 'user' },
    commandId: `command-${taskId}-${sequence}`,
    correlationId: 'correlation',
    previousState: 'Scheduled',
    newState: 'Running',
    metadata: { context: { 'a.b': 1, $set: { 'c.$': [null] } }, note: more.note ?? '' },
    previousHash: '0'.repeat(64),
  });
  return { key, event, json, position: { partition: 3, offset: sequence, at } };
}

/** First of each task, second of each, and so on. */
export const batchOf = (tasks: string[], each: number): StoredEvent[] =>
  Array.from({ length: each }, (_, n) => tasks.map((taskId) => storedEvent(taskId, n + 1))).flat();

export function receipt(commandId: string, at: number, partition = 3): Receipt {
  return {
    commandId,
    tenantId: 'acme',
    actorId: 'ann',
    key: 'acme/t1',
    type: 'TriggerTask',
    sequence: 1,
    fingerprint: { context: 'digest' },
    outcome: { kind: 'accepted', answer: { 'a.b': { $x: 1 } } },
    position: { partition, offset: 1, at },
  };
}

export function snapshot(taskId: string, sequence: number, more: Partial<Snapshot> = {}): Snapshot {
  return {
    key: taskKey('acme', taskId),
    tenantId: 'acme',
    taskId,
    partition: 3,
    head: { sequence, hash: 'f'.repeat(64), at: NOON, position: { partition: 3, offset: sequence, at: NOON } },
    state: { context: { 'a.b': 1, $set: { 'c.$': [null] } }, sequence },
    status: 'Scheduled',
    type: 'job',
    wakeAt: null,
    wakeKind: 'due',
    waitsFor: [],
    claimableSince: null,
    ...more,
  };
}

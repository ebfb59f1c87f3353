import type { Command } from '@retrigger/domain/command.ts';
import { EMPTY_HEAD, type StoredEvent } from '@retrigger/domain/event.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { nextEvent } from '@retrigger/domain/next-event.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';

/** A task with a history of one actor, from `from` (epoch ms) on, a minute between two events. */
export function seed(
  tenantId: string,
  taskId: string,
  eventTypes: string[],
  { snapshots, events, from, by }: { snapshots: Map<string, Snapshot>; events: StoredEvent[]; from: number; by: string },
): void {
  const key = taskKey(tenantId, taskId);
  let head = EMPTY_HEAD;
  for (const [i, eventType] of eventTypes.entries()) {
    const command = {
      commandId: `c${i}`,
      tenantId,
      taskId,
      actor: { id: by, type: 'user' },
      roles: [],
      correlationId: 'r',
      type: 'CancelTask',
      body: {},
    } satisfies Command;
    const decision = { eventType, schemaVersion: 1, newState: 'Draft', metadata: {} };
    const stored = nextEvent(head, i === 0 ? null : 'Draft', command, decision, { partition: 0, offset: i, at: from + i * 60_000 });
    head = { sequence: i + 1, hash: stored.event.hash, at: Date.parse(stored.event.timestamp), position: stored.position };
    events.push(stored);
  }
  const state = {
    tenantId,
    taskId,
    status: 'Draft',
    target: null,
    deadline: null,
    estimatedDuration: null,
    execution: null,
    lastExecution: null,
    schedule: null,
    nextExecution: null,
    pendingRetry: null,
    proposal: null,
  };
  snapshots.set(key, {
    key,
    tenantId,
    taskId,
    partition: 0,
    head,
    state,
    status: 'Draft',
    type: 'job',
    wakeAt: null,
    waitsFor: [],
  } as unknown as Snapshot);
}

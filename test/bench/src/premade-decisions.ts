import type { Decided } from '@retrigger/ports/decision-store.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { generated } from './history-events.ts';

const PAYLOAD = 'x'.repeat(300);

/** What batches of commands come to, each command about a task of its own: one event, one receipt, one snapshot, as large as those of a trigger. */
export function premadeDecisions(count: number, batchSize: number): Decided[] {
  const batches: Decided[] = [];
  const chunks = generated(count, count + 1, 0, 1);
  let left: Decided = { events: [], receipts: [], snapshots: [] };
  for (let next = chunks.next(); !next.done; next = chunks.next()) {
    for (const stored of next.value) {
      const { key, event, position } = stored;
      left.events.push(stored);
      left.receipts.push(receiptOf(key, event.commandId, position));
      const head = { sequence: event.sequence, hash: event.hash, at: position.at, position };
      const idle = { wakeAt: null, wakeKind: 'due' as const, waitsFor: [], claimableSince: null };
      const state = { context: { filler: PAYLOAD } };
      const { tenantId, taskId } = event;
      left.snapshots.push({ key, tenantId, taskId, partition: 0, head, state, status: 'Running', type: 'bench', ...idle });
      if (left.events.length < batchSize) continue;
      batches.push(left);
      left = { events: [], receipts: [], snapshots: [] };
    }
  }
  return left.events.length === 0 ? batches : [...batches, left];
}

const receiptOf = (key: string, commandId: string, position: Receipt['position']): Receipt => ({
  ...{ commandId, tenantId: 'default', actorId: 'bench', key, type: 'TriggerTask', sequence: 1, position },
  fingerprint: { triggerReason: 'a'.repeat(16) },
  outcome: { kind: 'accepted', answer: { note: PAYLOAD } },
});

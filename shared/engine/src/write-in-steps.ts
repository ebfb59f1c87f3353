import type { Decided, DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { AppendOutcome, EventStore } from '@retrigger/ports/event-store.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';

/**
 * Steps 4, 5 and 6 over three stores, one after the other: W1 by order, with single-document writes only.
 * For stores that have no transaction, or whose transactions are not to be trusted under faults.
 */
export function writeInSteps(events: EventStore, receipts: ReceiptStore, snapshots: SnapshotStore, reached: Reached): DecisionStore {
  return {
    async write(decided: Decided): Promise<AppendOutcome> {
      const appended: AppendOutcome = decided.events.length === 0 ? { kind: 'stored' } : await events.append(decided.events);
      reached('events-stored');
      const isClear = (key: string) => appended.kind === 'stored' || !appended.keys.has(key); // W2
      const kept = decided.receipts.filter(({ key }) => isClear(key));
      if (kept.length > 0) await receipts.put(kept);
      reached('receipts-stored');
      const saved = decided.snapshots.filter(({ key }) => isClear(key));
      if (saved.length > 0) await snapshots.save(saved);
      reached('snapshots-saved');
      return appended;
    },
  };
}

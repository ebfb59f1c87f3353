import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { AppendOutcome } from './event-store.ts';
import type { Receipt } from './receipt-store.ts';
import type { Snapshot } from './snapshot-store.ts';

/** What one batch decided. Events stand first of each key, then second of each, and so on; a key has at most one snapshot, its last. */
export type Decided = { events: StoredEvent[]; receipts: Receipt[]; snapshots: Snapshot[] };

/**
 * Steps 4 to 6 of a batch as one call: events, then receipts, then snapshots.
 * W1: nothing that a later kind rests on is missing: whatever stops the call, a stored receipt's event is stored, and a saved snapshot's events and receipts are.
 * W2: of a key in conflict neither receipts nor snapshot are written; the others are complete.
 * An adapter may use one transaction (one fsync), or the three stores one after the other.
 */
export interface DecisionStore {
  write(decided: Decided): Promise<AppendOutcome>;
}

import type { Decided, DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { AppendOutcome } from '@retrigger/ports/event-store.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import type { GroupCommit } from './group-commit.ts';
import type { SqliteEventStore } from './sqlite-event-store.ts';
import type { SqliteReceiptStore } from './sqlite-receipt-store.ts';
import type { SqliteSnapshotStore } from './sqlite-snapshot-store.ts';

/** Steps 4 to 6 of a batch in one transaction (W1: all or nothing); batches that wait at the same time share it. */
export class SqliteDecisionStore implements DecisionStore {
  readonly #events: SqliteEventStore;
  readonly #receipts: SqliteReceiptStore;
  readonly #snapshots: SqliteSnapshotStore;
  readonly #commit: GroupCommit;
  readonly #reached: Reached;

  constructor(
    events: SqliteEventStore,
    receipts: SqliteReceiptStore,
    snapshots: SqliteSnapshotStore,
    commit: GroupCommit,
    reached: Reached,
  ) {
    this.#events = events;
    this.#receipts = receipts;
    this.#snapshots = snapshots;
    this.#commit = commit;
    this.#reached = reached;
  }

  async write({ events, receipts, snapshots }: Decided): Promise<AppendOutcome> {
    if (events.length + receipts.length + snapshots.length === 0) return { kind: 'stored' };
    const outcome = await this.#commit.submit(() => {
      const appended = this.#events.appendInTransaction(events);
      this.#reached('events-stored');
      const isClear = ({ key }: { key: string }): boolean => appended.kind === 'stored' || !appended.keys.has(key); // W2
      this.#receipts.putInTransaction(receipts.filter(isClear));
      this.#reached('receipts-stored');
      this.#snapshots.saveInTransaction(snapshots.filter(isClear));
      return appended;
    });
    this.#reached('snapshots-saved');
    return outcome;
  }
}

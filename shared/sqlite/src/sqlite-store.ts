import type { Reached } from '@retrigger/ports/reached.ts';
import { GroupCommit } from './group-commit.ts';
import { openDatabase } from './open-database.ts';
import { SqliteDecisionStore } from './sqlite-decision-store.ts';
import { DOCUMENTS_SCHEMA, SqliteDocumentStore } from './sqlite-document-store.ts';
import { EVENTS_SCHEMA, SqliteEventStore } from './sqlite-event-store.ts';
import { RECEIPTS_BY_ARRIVAL, RECEIPTS_SCHEMA, SqliteReceiptStore } from './sqlite-receipt-store.ts';
import { CLAIMS_SCHEMA, NEWEST_MARKS, SNAPSHOTS_SCHEMA, SqliteSnapshotStore } from './sqlite-snapshot-store.ts';
import { BULK_EVENTS_SCHEMA, TENANT_EVENTS_SCHEMA } from './sqlite-tenant-events.ts';
import { walSync } from './wal-sync.ts';

/** See `openDatabase`. */
export const STORE_MIGRATIONS = [
  EVENTS_SCHEMA + RECEIPTS_SCHEMA + SNAPSHOTS_SCHEMA,
  DOCUMENTS_SCHEMA,
  CLAIMS_SCHEMA,
  `${TENANT_EVENTS_SCHEMA} ${NEWEST_MARKS}`,
  BULK_EVENTS_SCHEMA,
  RECEIPTS_BY_ARRIVAL,
];

/** The stores of one file; they share its transactions. */
export type SqliteStore = {
  events: SqliteEventStore;
  receipts: SqliteReceiptStore;
  snapshots: SqliteSnapshotStore;
  decisions: SqliteDecisionStore;
  documents: SqliteDocumentStore;
  /** Whether the file takes writes now. */
  isWritable(): Promise<boolean>;
  /** Commits what was submitted and closes the file. */
  close(): Promise<void>;
};

/** Opens events, receipts, snapshots and documents in one file. `reached` is told the places inside a write, where a process may die. */
export function openSqliteStore(path: string, reached: Reached, sync = walSync(path)): SqliteStore {
  const db = openDatabase(path, STORE_MIGRATIONS);
  const commit = new GroupCommit(db, sync, {
    committed: () => {
      snapshots.committed();
      return () => {};
    },
    rolledBack: () => snapshots.rolledBack(),
  });
  const events = new SqliteEventStore(db, commit, reached);
  const receipts = new SqliteReceiptStore(db, commit, reached);
  const snapshots = new SqliteSnapshotStore(db, commit, reached);
  const decisions = new SqliteDecisionStore(events, receipts, snapshots, commit, reached);
  const documents = new SqliteDocumentStore(db, commit);
  const close = async (): Promise<void> => {
    if (!db.isOpen) return;
    await commit.close();
    db.close();
  };
  return { events, receipts, snapshots, decisions, documents, isWritable: () => commit.isWritable(), close };
}

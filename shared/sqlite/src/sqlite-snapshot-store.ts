import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { WakeKind } from '@retrigger/domain/decider.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import type { Claimable, Due, Mark, Snapshot, SnapshotStore, TaskFilter, TaskPlace } from '@retrigger/ports/snapshot-store.ts';
import type { GroupCommit } from './group-commit.ts';
import { SnapshotCache } from './snapshot-cache.ts';

/** As many as the largest closure that is walked. */
const CACHED_SNAPSHOTS = 20_000;
const CACHED_BYTES = 64 * 1_048_576;

/** `waits` says again what `snapshots.waits_for` says, the other way round: who waits for this task? */
export const SNAPSHOTS_SCHEMA = `
  CREATE TABLE snapshots (key TEXT PRIMARY KEY, sequence INTEGER NOT NULL, tenant_id TEXT NOT NULL, task_id TEXT NOT NULL,
    partition INTEGER NOT NULL, status TEXT NOT NULL, type TEXT NOT NULL, wake_at INTEGER, wake_kind TEXT NOT NULL, waits_for TEXT NOT NULL,
    head TEXT NOT NULL, state TEXT NOT NULL) STRICT;
  CREATE INDEX snapshots_due ON snapshots (partition, wake_at, key, wake_kind) WHERE wake_at IS NOT NULL;
  CREATE INDEX snapshots_by_status ON snapshots (tenant_id, status, type, task_id);
  CREATE TABLE waits (tenant_id TEXT NOT NULL, waits_for TEXT NOT NULL, task_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, waits_for, task_id)) STRICT, WITHOUT ROWID;
  CREATE INDEX waits_by_waiter ON waits (tenant_id, task_id);
  CREATE TABLE marks (partition INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;`;

/** Few tasks wait to be claimed, so only those are in the index. */
export const CLAIMS_SCHEMA = `
  ALTER TABLE snapshots ADD COLUMN claimable_since INTEGER;
  CREATE INDEX snapshots_claimable ON snapshots (tenant_id, type, claimable_since, task_id) WHERE claimable_since IS NOT NULL;`;

export const NEWEST_MARKS = 'ALTER TABLE marks ADD COLUMN newest INTEGER NOT NULL DEFAULT 0';

const DUE = `SELECT key, wake_at, wake_kind FROM snapshots
  WHERE partition = ? AND wake_at < ? AND (wake_at, key) > (?, ?) ORDER BY wake_at, key LIMIT ?`;

const WAITING = 'SELECT task_id FROM waits WHERE tenant_id = ? AND waits_for = ? AND task_id > ? ORDER BY task_id LIMIT ?';

const CLAIMABLE = `SELECT task_id, claimable_since FROM snapshots
  WHERE tenant_id = ? AND type = ? AND claimable_since IS NOT NULL ORDER BY claimable_since, task_id LIMIT ?`;

/** By one status, so that the index gives the order too. */
const LIST = `SELECT type, task_id FROM snapshots
  WHERE tenant_id = ? AND status = ? AND (type, task_id) > (?, ?) ORDER BY type, task_id LIMIT ?`;
const LIST_OF_TYPE = `SELECT type, task_id FROM snapshots
  WHERE tenant_id = ? AND status = ? AND type = ? AND task_id > ? ORDER BY type, task_id LIMIT ?`;

export class SqliteSnapshotStore implements SnapshotStore {
  readonly #save: StatementSync;
  readonly #unwait: StatementSync;
  readonly #wait: StatementSync;
  readonly #find: StatementSync;
  readonly #due: StatementSync;
  readonly #waiting: StatementSync;
  readonly #list: StatementSync;
  readonly #listOfType: StatementSync;
  readonly #claimable: StatementSync;
  readonly #mark: StatementSync;
  readonly #marks: StatementSync;
  readonly #cache = new SnapshotCache(CACHED_SNAPSHOTS, CACHED_BYTES);
  readonly #db: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #reached: Reached;

  constructor(db: DatabaseSync, commit: GroupCommit, reached: Reached) {
    this.#db = db;
    this.#commit = commit;
    this.#reached = reached;
    // S1
    this.#save = db.prepare(
      `INSERT INTO snapshots (key, sequence, tenant_id, task_id, partition, status, type, wake_at, wake_kind, waits_for, head, state, claimable_since)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence, partition = excluded.partition,
       status = excluded.status, type = excluded.type, wake_at = excluded.wake_at, wake_kind = excluded.wake_kind, waits_for = excluded.waits_for, head = excluded.head,
       state = excluded.state, claimable_since = excluded.claimable_since WHERE excluded.sequence > snapshots.sequence`,
    );
    this.#unwait = db.prepare('DELETE FROM waits WHERE tenant_id = ? AND task_id = ?');
    this.#wait = db.prepare('INSERT INTO waits VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#find = db.prepare('SELECT * FROM snapshots WHERE key = ?');
    this.#due = db.prepare(DUE);
    this.#waiting = db.prepare(WAITING);
    this.#list = db.prepare(LIST);
    this.#listOfType = db.prepare(LIST_OF_TYPE);
    this.#claimable = db.prepare(CLAIMABLE);
    this.#mark = db.prepare(
      'INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at), newest = max(newest, excluded.newest)', // S3
    );
    this.#marks = db.prepare('SELECT partition, at, newest FROM marks');
  }

  async save(snapshots: Snapshot[]): Promise<void> {
    await this.#commit.submit(() => this.saveInTransaction(snapshots)); // S2
  }

  /** The same, inside a transaction that is open. */
  saveInTransaction(snapshots: Snapshot[]): void {
    for (const [index, snapshot] of snapshots.entries()) {
      const { key, tenantId, taskId, partition, head, state, status, type, wakeAt, wakeKind, waitsFor, claimableSince } = snapshot;
      const json = [JSON.stringify(waitsFor), JSON.stringify(head), JSON.stringify(state)] as const;
      const found = [key, head.sequence, tenantId, taskId, partition, status, type, wakeAt, wakeKind] as const;
      const { changes } = this.#save.run(...found, ...json, claimableSince);
      if (changes !== 0) {
        if (this.#mayWait(snapshot)) this.#unwait.run(tenantId, taskId);
        for (const other of waitsFor) this.#wait.run(tenantId, other, taskId);
        this.#cache.save(snapshot);
      }
      if (index === 0 && snapshots.length > 1) this.#reached('within-snapshots');
    }
  }

  /** Whether the file may say of it that it waits: most tasks never do. */
  #mayWait({ key, head }: Snapshot): boolean {
    return head.sequence > 1 && this.#cache.get(key)?.waitsFor.length !== 0;
  }

  /** What was saved in the transaction that is now committed. */
  committed(): void {
    this.#cache.committed();
  }

  rolledBack(): void {
    this.#cache.rolledBack();
  }

  async load(keys: string[]): Promise<Map<string, Snapshot>> {
    const found = new Map<string, Snapshot>();
    for (const key of keys) {
      const snapshot = this.#cache.get(key) ?? this.#read(key);
      if (snapshot !== undefined) found.set(key, snapshot);
    }
    return found;
  }

  #read(key: string): Snapshot | undefined {
    const row = this.#find.get(key);
    if (row === undefined) return undefined;
    const snapshot = {
      key,
      tenantId: String(row.tenant_id),
      taskId: String(row.task_id),
      partition: Number(row.partition),
      head: JSON.parse(String(row.head)),
      state: JSON.parse(String(row.state)),
      status: String(row.status),
      type: String(row.type),
      wakeAt: row.wake_at === null ? null : Number(row.wake_at),
      wakeKind: String(row.wake_kind) as WakeKind,
      waitsFor: JSON.parse(String(row.waits_for)),
      claimableSince: row.claimable_since === null ? null : Number(row.claimable_since),
    };
    this.#cache.put(snapshot);
    return snapshot;
  }

  async due(partition: number, before: number, after: Due | null, limit: number): Promise<Due[]> {
    const start = after ?? { wakeAt: Number.MIN_SAFE_INTEGER, key: '' };
    const rows = this.#due.all(partition, before, start.wakeAt, start.key, limit);
    return rows.map((row) => ({ key: String(row.key), wakeAt: Number(row.wake_at), wakeKind: String(row.wake_kind) as WakeKind }));
  }

  async waiting(tenantId: string, taskId: string, after: string | null, limit: number): Promise<string[]> {
    return this.#waiting.all(tenantId, taskId, after ?? '', limit).map(({ task_id }) => String(task_id));
  }

  async list(tenantId: string, { statuses, type }: TaskFilter, after: TaskPlace | null, limit: number): Promise<Snapshot[]> {
    const query = type === undefined ? this.#list : this.#listOfType;
    const places = statuses.flatMap((status) =>
      query.all(tenantId, status, type ?? after?.type ?? '', after?.taskId ?? '', limit).map((row): TaskPlace => {
        return { type: String(row.type), taskId: String(row.task_id) };
      }),
    );
    const keys = places
      .sort(byPlace)
      .slice(0, limit)
      .map(({ taskId }) => taskKey(tenantId, taskId));
    return [...(await this.load(keys)).values()];
  }

  async claimable(tenantId: string, type: string, limit: number): Promise<Claimable[]> {
    const rows = this.#claimable.all(tenantId, type, limit);
    return rows.map(({ task_id, claimable_since }) => ({ taskId: String(task_id), since: Number(claimable_since) }));
  }

  /** How the queries find their rows, in SQLite's words. */
  plan(): { [query in 'due' | 'waiting' | 'list' | 'listOfType' | 'claimable']: string[] } {
    const explain = (sql: string): string[] =>
      this.#db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail));
    const [due, waiting, claimable] = [explain(DUE), explain(WAITING), explain(CLAIMABLE)];
    return { due, waiting, claimable, list: explain(LIST), listOfType: explain(LIST_OF_TYPE) };
  }

  async saveMark(partition: number, { at, newest }: Mark): Promise<void> {
    await this.#commit.submit(() => this.#mark.run(partition, at, newest));
  }

  async marks(): Promise<Map<number, Mark>> {
    return new Map(this.#marks.all().map(({ partition, at, newest }) => [Number(partition), { at: Number(at), newest: Number(newest) }]));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byPlace = (a: TaskPlace, b: TaskPlace): number => compare(a.type, b.type) || compare(a.taskId, b.taskId);

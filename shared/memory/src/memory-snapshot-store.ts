import type { Reached } from '@retrigger/ports/reached.ts';
import type { Claimable, Due, Mark, Snapshot, SnapshotStore, TaskFilter, TaskPlace } from '@retrigger/ports/snapshot-store.ts';

/** Snapshots in memory, for tests. What is read is a copy. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #marks = new Map<number, Mark>();
  readonly #reached: Reached;

  constructor(reached: Reached) {
    this.#reached = reached;
  }

  async save(snapshots: Snapshot[]): Promise<void> {
    for (const [index, snapshot] of snapshots.entries()) {
      const stored = this.#snapshots.get(snapshot.key);
      if (stored === undefined || snapshot.head.sequence > stored.head.sequence) {
        this.#snapshots.set(snapshot.key, structuredClone(snapshot)); // S1
      }
      if (index === 0 && snapshots.length > 1) this.#reached('within-snapshots');
    }
  }

  async load(keys: string[]): Promise<Map<string, Snapshot>> {
    const found = new Map<string, Snapshot>();
    for (const key of keys) {
      const snapshot = this.#snapshots.get(key);
      if (snapshot !== undefined) found.set(key, structuredClone(snapshot));
    }
    return found;
  }

  async due(partition: number, before: number, after: Due | null, limit: number): Promise<Due[]> {
    const due: Due[] = [];
    for (const { key, partition: its, wakeAt, wakeKind } of this.#snapshots.values()) {
      if (its === partition && wakeAt !== null && wakeAt < before) due.push({ key, wakeAt, wakeKind });
    }
    const sorted = due.sort(byDueTime);
    return sorted.filter((one) => after === null || byDueTime(one, after) > 0).slice(0, limit);
  }

  async waiting(tenantId: string, taskId: string, after: string | null, limit: number): Promise<string[]> {
    const ids: string[] = [];
    for (const snapshot of this.#snapshots.values()) {
      if (snapshot.tenantId === tenantId && snapshot.waitsFor.includes(taskId)) ids.push(snapshot.taskId);
    }
    const sorted = ids.sort();
    return sorted.filter((id) => after === null || id > after).slice(0, limit);
  }

  async list(tenantId: string, { statuses, type }: TaskFilter, after: TaskPlace | null, limit: number): Promise<Snapshot[]> {
    const found = [...this.#snapshots.values()].filter(
      (one) => one.tenantId === tenantId && statuses.includes(one.status) && (type === undefined || one.type === type),
    );
    const behind = found.sort(byPlace).filter((one) => after === null || byPlace(one, after) > 0);
    return behind.slice(0, limit).map((one) => structuredClone(one));
  }

  async claimable(tenantId: string, type: string, limit: number): Promise<Claimable[]> {
    const found: Claimable[] = [];
    for (const { tenantId: its, type: itsType, taskId, claimableSince: since } of this.#snapshots.values())
      if (its === tenantId && itsType === type && since !== null) found.push({ taskId, since });
    return found.sort((a, b) => a.since - b.since || compare(a.taskId, b.taskId)).slice(0, limit);
  }

  /** S3. */
  async saveMark(partition: number, { at, newest }: Mark): Promise<void> {
    const stored = this.#marks.get(partition);
    this.#marks.set(partition, { at: Math.max(at, stored?.at ?? at), newest: Math.max(newest, stored?.newest ?? newest) });
  }

  async marks(): Promise<Map<number, Mark>> {
    return new Map(this.#marks);
  }

  /** Loses a snapshot, as a cache may. */
  lose(key: string): void {
    this.#snapshots.delete(key);
  }
}

const byDueTime = (a: Due, b: Due): number => a.wakeAt - b.wakeAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byPlace = (a: TaskPlace, b: TaskPlace): number => compare(a.type, b.type) || compare(a.taskId, b.taskId);

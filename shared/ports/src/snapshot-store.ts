import type { WakeKind } from '@retrigger/domain/decider.ts';
import type { Head } from '@retrigger/domain/event.ts';

/** The state of an aggregate after `head.sequence`, with what others look for. */
export type Snapshot<S = unknown> = {
  key: string;
  tenantId: string;
  taskId: string;
  partition: number;
  head: Head;
  state: S;
  status: string;
  type: string;
  /** When its owner must wake it, epoch ms; null = nothing is due. */
  wakeAt: number | null;
  wakeKind: WakeKind;
  /** Ids of the tasks (same tenant) whose end it waits for. */
  waitsFor: string[];
  /** Since when it has an execution that may be claimed, epoch ms; null = it has none. */
  claimableSince: number | null;
};

/** When an aggregate is due, and why. */
export type Due = { key: string; wakeAt: number; wakeKind: WakeKind };

/** A task whose execution may be claimed, and since when, epoch ms. */
export type Claimable = { taskId: string; since: number };

/** Which tasks of a tenant: of these statuses, and of this type when it is given. */
export type TaskFilter = { statuses: readonly string[]; type?: string };

/** Where a list of tasks has got to. Neither changes in a task's life, so tasks that change status between two pages are neither lost nor repeated. */
export type TaskPlace = { type: string; taskId: string };

/**
 * How far a partition of the work log is. `at`: every event of it with a timestamp before this is stored, and no other will come. `newest`: none of what it has stored is
 * newer. Both in epoch ms of the log.
 */
export type Mark = { at: number; newest: number };

/**
 * S1: a snapshot is only ever replaced by one of a higher sequence; an older one given later changes nothing and is no error.
 * S2: `save` resolves when durable and visible to every reader.
 * A snapshot is a cache: losing one costs time, never an event.
 */
export interface SnapshotStore {
  save(snapshots: Snapshot[]): Promise<void>;
  /** Those that exist, by key. */
  load(keys: string[]): Promise<Map<string, Snapshot>>;
  /** Aggregates of a partition that are due before `before` (epoch ms), by due time and key, behind `after` (null = from the first). */
  due(partition: number, before: number, after: Due | null, limit: number): Promise<Due[]>;
  /** Ids of the tasks that wait for this one, in id order, after `after` (null = from the first). */
  waiting(tenantId: string, taskId: string, after: string | null, limit: number): Promise<string[]>;
  /** Tasks of a tenant, by type and then by id, behind `after` (null = from the first). One that changes status while this is read may be missing. */
  list(tenantId: string, filter: TaskFilter, after: TaskPlace | null, limit: number): Promise<Snapshot[]>;
  /** Tasks of one type of a tenant whose execution may be claimed, the longest waiting first and then by id. One that is claimed while this is read may be among them. */
  claimable(tenantId: string, type: string, limit: number): Promise<Claimable[]>;
  /** S3: neither of the two ever goes back, whatever is saved. */
  saveMark(partition: number, mark: Mark): Promise<void>;
  /** Of every partition that has one. */
  marks(): Promise<Map<number, Mark>>;
}

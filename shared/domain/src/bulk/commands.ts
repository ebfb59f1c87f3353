import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { Schedule } from '../schedule.ts';

/** One task of a bulk, with what it has instead of what the bulk says for all. `waits`: its conditions name a task of the same bulk. */
export type BulkItem = {
  taskId: string;
  context?: JsonObject;
  triggerReason?: string;
  conditions?: Conditions;
  schedule?: Schedule;
  waits?: true;
};

/** What holds for every task of a bulk that has nothing else of its own. */
export type BulkCommon = { context?: JsonObject; triggerReason?: string; schedule?: Schedule };

export type BulkFilter = { status?: string; type?: string; owner?: string; critical?: boolean; taskIds?: string[] };

/** The tasks are named, each once. A `filter` has selected them: whoever let the bulk in applied it, once. */
export type BulkBody = BulkCommon & { tasks: BulkItem[]; filter?: BulkFilter; allOrNothing?: boolean };

/** An item's problem, as API.md's "Bulk" shows it. */
export type ItemError = { code: string; title: string; detail?: string; conditions?: JsonObject[string] };

/** What a task tells its bulk. `accepted`: it was triggered or rescheduled. `reserved` and `released` are the steps of all or nothing. */
export type TaskResult = { taskId: string } & (
  | { kind: 'accepted'; executionId?: string; nextExecution?: string }
  | { kind: 'refused'; error: ItemError }
  | { kind: 'reserved' | 'released' }
);

/** The first two come from a door; the others are the cluster's own: results of tasks, and a task that asks what became of its reservation. */
export type BulkCommandBody =
  | { type: 'BulkTrigger'; body: BulkBody }
  | { type: 'BulkReschedule'; body: BulkBody }
  | { type: 'GatherResults'; body: { results: TaskResult[] } }
  | { type: 'AskBulk'; body: { taskId: string } };

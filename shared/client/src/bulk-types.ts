import type { Conditions, JsonObject, Schedule, Status } from './types.ts';

/** All of it must hold; what it selects is frozen when the bulk is accepted. `owner` is a user's name. */
export type BulkFilter = { status?: Status; type?: string; owner?: string; critical?: boolean; taskIds?: string[] };

/** Either `tasks` (1 to 1,000, each once) or `filter`. `allOrNothing`: all of them, or none; refused, it is the problem `transaction_aborted`. */
export type BulkTrigger = {
  tasks?: { taskId: string; context?: JsonObject; conditions?: Conditions }[];
  filter?: BulkFilter;
  allOrNothing?: boolean;
  triggerReason?: string;
  context?: JsonObject;
};
/** `schedule` is for every task that has none of its own. */
export type BulkReschedule = {
  tasks?: { taskId: string; schedule?: Schedule }[];
  filter?: BulkFilter;
  schedule?: Schedule;
  allOrNothing?: boolean;
};

export type BulkItemError = { code: string; title: string; detail?: string; conditions?: { [name: string]: unknown }[] };
/** What became of each task. */
export type BulkTriggered = {
  results: { taskId: string; accepted: boolean; executionId?: string; nextExecution?: string; error?: BulkItemError }[];
  accepted: number;
  refused: number;
};
export type BulkRescheduled = {
  results: { taskId: string; accepted: boolean; nextExecution?: string; error?: BulkItemError }[];
  accepted: number;
  refused: number;
};

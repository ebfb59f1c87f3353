import type { JsonObject } from '../json.ts';
import type { Schedule } from '../schedule.ts';
import type { ChangeTaskBody, RescheduleBody } from './commands.ts';

export const STATUSES = ['Draft', 'Scheduled', 'Running', 'Completed', 'Failed', 'Cancelled'] as const;
export type Status = (typeof STATUSES)[number];

/** Where an execution is sent. Its signing secret is derived from `secretGeneration` and stored nowhere. */
export type Target = { url: string; method?: string; headers?: { [name: string]: string }; timeout?: string; secretGeneration: number };

/** Durations as the caller wrote them. */
export type RetryPolicy = { maxAttempts: number; baseDelay: string; maxDelay: string; jitter: 'none' | 'full' | 'equal' };

export const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 1, baseDelay: '1s', maxDelay: '24h', jitter: 'full' };

/** The attempt that is running. Instants are ISO 8601. */
export type Execution = {
  executionId: string;
  runId: string;
  attempt: number;
  context: JsonObject;
  /** When the task became Running. */
  triggeredAt: string;
  /** The executor's first report; null = none yet. */
  startedAt: string | null;
  /** Whether the task had a target when it was triggered (T9). */
  hasTarget?: boolean;
  /** Who took it; absent = nobody, or the dispatcher for its target (T10). */
  executor?: string;
};

/** How the last attempt ended. */
export type EndedExecution = {
  executionId: string;
  runId: string;
  attempt: number;
  status: 'Completed' | 'Failed' | 'Cancelled';
  triggeredAt: string;
  endedAt: string;
  result?: JsonObject[string];
  error?: { code: string; message: string };
  /** Who had it. */
  executor?: string;
  /** Set when a reschedule with `force` ended it. */
  forced?: true;
};

/** The next attempt of a run whose last one failed. */
export type PendingRetry = { at: string; runId: string; attempt: number; context: JsonObject };

/** What a patch may change besides the dependencies. */
export type TaskChanges = {
  context?: JsonObject;
  target?: Target | null;
  retry?: RetryPolicy;
  deadline?: string | null;
  critical?: boolean;
  estimatedDuration?: string | null;
  onMissed?: OnMissed;
};

/**
 * A cascade that this task is to start (`root` is itself, `tasks` are all that it re-arms) or was re-armed by (`tasks` is empty), until its next run.
 * `sequence` is that of the root's event: of two cascades of one root the later has the higher.
 */
export type Cascade = { id: string; root: string; tasks: string[]; sequence: number };

/**
 * Edges that were asked for and are being checked for cycles; they count already. A patch proposes `dependencies` and comes with its other `changes` as they
 * were asked for; a reschedule leaves the dependencies and proposes to wait for the tasks that its conditions name.
 */
export type Proposal = { commandId: string } & (
  | { kind: 'change'; dependencies: string[]; changes: Omit<ChangeTaskBody, 'dependencies'> }
  | { kind: 'reschedule'; named: string[]; body: RescheduleBody }
);

/** What becomes of a run whose time has passed while nobody could start it: run late, or leave it out. */
export type OnMissed = 'fire' | 'skip';

/** A task as its events make it. */
export type TaskState = {
  tenantId: string;
  taskId: string;
  type: string;
  owner: string;
  status: Status;
  /** Sequence of the last event that changed the state; refusals do not. */
  version: number;
  dependencies: string[];
  context: JsonObject;
  target: Target | null;
  retry: RetryPolicy;
  deadline: string | null;
  critical: boolean;
  sensitive: boolean;
  estimatedDuration: string | null;
  onMissed: OnMissed;
  /** As accepted; null = none. A one-time schedule is used up by its run, a cron schedule stays. */
  schedule: Schedule | null;
  /** When the schedule is due; null = it waits for conditions, or there is none. */
  nextExecution: string | null;
  /** The tasks whose end may fulfil the conditions that it waits for. */
  waitsFor: string[];
  /** The last conditional schedule: what a cascade arms again. */
  lastConditional: Schedule | null;
  cascade: Cascade | null;
  /** The latest cascade of each root that it has started or been re-armed by, the latest last, at most 100. */
  cascades: { root: string; sequence: number }[];
  pendingRetry: PendingRetry | null;
  proposal: Proposal | null;
  /** Failed attempts since the last Completed or accepted reschedule. */
  retryCount: number;
  execution: Execution | null;
  lastExecution: EndedExecution | null;
  /** How the last run ended, as long as that counts: until the next run or reschedule. A failed attempt that is tried again has not ended. */
  outcome: 'Completed' | 'Failed' | null;
  /** Milliseconds from trigger to end of the last completed executions, oldest first, at most 10. */
  durationsMs: number[];
  createdAt: string;
  updatedAt: string;
};

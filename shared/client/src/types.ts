/**
 * What the calls of the API take and answer (`/openapi.json`). Instants are ISO 8601 UTC with milliseconds, durations texts such as `"90s"`, `"5m"` or `"PT5M"`.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json | undefined };

export type Conditions = {
  /** true = everything in the whole closure of the task's dependencies is Completed; a list = these are. */
  dependenciesComplete?: true | string[];
  /** At least so many of the direct dependencies are Completed; a list = these are. */
  dependenciesCompleted?: { min: number } | string[];
  /** A named task has ended so; `path` is a JSON Pointer into its result. */
  outcome?: { taskId: string; status: 'Completed' | 'Failed'; result?: { path: string; equals: Json } };
};

export type Schedule =
  | { strategy: 'immediate' }
  | { strategy: 'delayed'; delay: string | number; unit?: 'seconds' | 'minutes' | 'hours' | 'days' }
  | { strategy: 'at'; at: string }
  | { strategy: 'cron'; cron: string; timeZone?: string }
  | { strategy: 'exponential_backoff'; baseDelay: string; maxDelay?: string; jitter?: Jitter; currentRetryCount?: number }
  | { strategy: 'conditional'; conditions: Conditions };

export type Jitter = 'none' | 'full' | 'equal';
export type Status = 'Draft' | 'Scheduled' | 'Running' | 'Completed' | 'Failed' | 'Cancelled';
export type RetryPolicy = { maxAttempts: number; baseDelay: string; maxDelay: string; jitter: Jitter };
/** Where Retrigger calls for an execution; without one, executors claim it. */
export type Target = { url: string; method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'; headers?: { [name: string]: string }; timeout?: string };

type Settings = {
  dependencies?: string[];
  context?: JsonObject;
  retry?: Partial<RetryPolicy>;
  critical?: boolean;
  /** What becomes of a run whose time has passed while nobody could start it: late (the default), or left out. */
  onMissed?: 'fire' | 'skip';
};

export type CreateTask = Settings & {
  taskId?: string;
  type: string;
  target?: Target;
  deadline?: string;
  sensitive?: boolean;
  estimatedDuration?: string;
  schedule?: Schedule;
};

/** What is absent stays; null takes it away. */
export type ChangeTask = Settings & { target?: Target | null; deadline?: string | null; estimatedDuration?: string | null };
export type TriggerTask = { context?: JsonObject; triggerReason?: string; conditions?: Conditions };
/** `force`: also when it is Running; `cascade`: run everything behind it anew. */
export type RescheduleTask = Schedule & { context?: JsonObject; force?: boolean; cascade?: boolean; reason?: string };
export type CancelTask = { reason?: string };

type Attempt = { executionId: string; runId: string; attempt: number };
type Ended = {
  status: 'Completed' | 'Failed' | 'Cancelled';
  triggeredAt: string;
  endedAt: string;
  executor?: string;
  result?: Json | undefined;
  error?: { code: string; message: string };
  forced?: true;
};
type Running = {
  context: JsonObject;
  triggeredAt: string;
  startedAt?: string;
  /** Who has it; nobody else may report it. */
  executor?: string;
  deadlineAt?: string;
  heartbeatTimeout: string;
};

export type Task = {
  taskId: string;
  type: string;
  owner: string;
  status: Status;
  /** The sequence of the last event that changed it. */
  version: number;
  dependencies: string[];
  context: JsonObject;
  /** `secret` (`whsec_…`) only in the answer that created or changed the target. */
  target?: { url: string; method?: string; headers?: { [name: string]: string }; timeout?: string; secret?: string };
  retry: RetryPolicy;
  deadline?: string;
  critical: boolean;
  sensitive: boolean;
  estimatedDuration?: string;
  onMissed: 'fire' | 'skip';
  schedule?: Schedule;
  nextExecution?: string;
  proposedDependencies?: string[];
  retryCount: number;
  execution?: Attempt & Running;
  lastExecution?: Attempt & Ended;
  createdAt: string;
  updatedAt: string;
};

export type PageInfo = { hasMore: boolean; nextCursor: string | null };
export type TaskPage = { tasks: Task[]; pageInfo: PageInfo };
export type Verdict = { taskId: string; required: string; actual: string; met: boolean }[];

export type Triggered = {
  executionId: string;
  runId: string;
  taskId: string;
  estimatedCompletion: string;
  message: string;
  conditions?: Verdict;
};

export type Rescheduled = {
  taskId: string;
  strategy: string;
  previousSchedule: Schedule | null;
  /** null: its conditions decide. */
  nextExecution: string | null;
  delayApplied: string | null;
  calculationDetails?: { [name: string]: unknown };
};

export const EVENT_TYPES = [
  ...(['TaskCreated', 'TaskChanged', 'TaskTriggered', 'TaskStarted', 'TaskCompleted', 'TaskFailed', 'TaskRescheduled'] as const),
  ...([
    'TaskCancelled',
    'TaskReserved',
    'TaskReleased',
    'DependenciesProposed',
    'DependenciesChanged',
    'CommandRefused',
    'DataErased',
  ] as const),
] as const;
export type EventType = (typeof EVENT_TYPES)[number];
export type Actor = { id: string; type: 'user' | 'system' | 'executor' };

export type TaskEvent = {
  eventId: string;
  eventType: EventType;
  schemaVersion: number;
  tenantId: string;
  taskId: string;
  sequence: number;
  timestamp: string;
  actor: Actor;
  commandId: string;
  correlationId: string;
  previousState: string | null;
  newState: string | null;
  metadata: { [name: string]: unknown };
  traceparent?: string;
  previousHash: string;
  hash: string;
  /** What is stored where something else is shown, by JSON Pointer. */
  sealed?: { [pointer: string]: { value: unknown; salt: string } };
};

export type EventPage = { events: TaskEvent[]; total: number; pageInfo: PageInfo };
export type Verified = { valid: boolean; checked: number; firstBreak?: { sequence: number; reason: string } };
export type TaskChanges = {
  changes: {
    /** A JSON Pointer into the task. */
    path: string;
    /** null: it was, or is, not there. */
    before: unknown;
    after: unknown;
    event: Pick<TaskEvent, 'eventId' | 'eventType' | 'sequence' | 'timestamp' | 'actor'>;
  }[];
};

/** `wait` is a duration up to 30 s, `max` at most 100. */
export type ClaimExecutions = { types: string[]; wait?: string; max?: number };

/** What an executor is given to run. */
export type Execution = Attempt & {
  taskId: string;
  type: string;
  context: JsonObject;
  deadlineAt?: string;
  /** How long the executor may be silent. */
  heartbeatTimeout: string;
};
export type Reported = { deadlineAt?: string; heartbeatTimeout: string };
export type CompletedReport = { result?: Json | undefined };
export type FailedReport = { error: string; retryable?: boolean };

export type CommandState = {
  commandId: string;
  state: 'pending' | 'accepted' | 'refused';
  /** Without a body after a 204. */
  outcome?: { status: number; body?: { [name: string]: unknown } };
};
export type Readiness = { state: 'ready' | 'degraded'; dependencies: { [name: string]: 'up' | 'down' } };

export type TaskQuery = { status?: Status; type?: string; owner?: string; critical?: boolean; cursor?: string; pageSize?: number };
/** A date alone means the whole UTC day; `actor` is an actor's id. */
export type EventQuery = {
  types?: EventType[];
  from?: string;
  to?: string;
  actor?: string;
  order?: 'asc' | 'desc';
  cursor?: string;
  pageSize?: number;
};

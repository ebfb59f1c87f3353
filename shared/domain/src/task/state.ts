import type { JsonObject } from '../json.ts';

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
};

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
  retryCount: number;
  execution: Execution | null;
  lastExecution: EndedExecution | null;
  /** Milliseconds from trigger to end of the last completed executions, oldest first, at most 10. */
  durationsMs: number[];
  createdAt: string;
  updatedAt: string;
};

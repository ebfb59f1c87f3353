import type { JsonObject } from '../json.ts';
import type { RetryPolicy } from './state.ts';

export type CreateTaskBody = {
  type: string;
  dependencies?: string[];
  context?: JsonObject;
  target?: { url: string; method?: string; headers?: { [name: string]: string }; timeout?: string };
  retry?: Partial<RetryPolicy>;
  deadline?: string;
  critical?: boolean;
  sensitive?: boolean;
  estimatedDuration?: string;
};

/** The bodies of the calls of API.md, already valid; a command with an executionId comes from whoever runs it. */
export type TaskCommandBody =
  | { type: 'CreateTask'; body: CreateTaskBody }
  | { type: 'TriggerTask'; body: { context?: JsonObject; triggerReason?: string } }
  | { type: 'CancelTask'; body: { reason?: string } }
  | { type: 'StartExecution'; body: { executionId: string } }
  | { type: 'CompleteExecution'; body: { executionId: string; result?: JsonObject[string] } }
  | { type: 'FailExecution'; body: { executionId: string; error: { code: string; message: string }; retryable?: boolean } };

export type TaskCommandType = TaskCommandBody['type'];

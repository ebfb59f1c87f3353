import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { Schedule } from '../schedule.ts';
import type { OnMissed, RetryPolicy } from './state.ts';

export type TargetBody = { url: string; method?: string; headers?: { [name: string]: string }; timeout?: string };

export type CreateTaskBody = {
  type: string;
  dependencies?: string[];
  context?: JsonObject;
  target?: TargetBody;
  retry?: Partial<RetryPolicy>;
  deadline?: string;
  critical?: boolean;
  sensitive?: boolean;
  estimatedDuration?: string;
  onMissed?: OnMissed;
  schedule?: Schedule;
};

/** Null takes a target, deadline or estimate away. */
export type ChangeTaskBody = {
  dependencies?: string[];
  context?: JsonObject;
  target?: TargetBody | null;
  retry?: Partial<RetryPolicy>;
  deadline?: string | null;
  critical?: boolean;
  estimatedDuration?: string | null;
  onMissed?: OnMissed;
};

export type RescheduleBody = { schedule: Schedule; context?: JsonObject; force?: boolean; cascade?: boolean; reason?: string };

/** Whose data, and what its key is known by; null = there is none (any more). The door has found it: no name of a user gets here. */
export type EraseBody = { subject: 'user' | 'task'; token: string | null };

/**
 * The bodies of the calls of API.md, already valid; a command with an executionId comes from whoever runs it. A claim
 * takes whatever execution of the task nobody has (`claim` is what the caller asked for one execution by: it gets one, whichever task gives it). The last four come from the
 * cluster itself: look at the due times (`silentSince`: epoch ms, when the executor was last heard), look whether the conditions are met, confirm proposed
 * dependencies, be armed again by a cascade (`sequence` is that of the root's event).
 */
export type TaskCommandBody =
  | { type: 'CreateTask'; body: CreateTaskBody }
  | { type: 'ChangeTask'; body: ChangeTaskBody }
  | { type: 'TriggerTask'; body: { context?: JsonObject; triggerReason?: string; conditions?: Conditions } }
  | { type: 'RescheduleTask'; body: RescheduleBody }
  | { type: 'CancelTask'; body: { reason?: string } }
  | { type: 'ClaimExecution'; body: { claim: string } }
  | { type: 'StartExecution'; body: { executionId: string } }
  | { type: 'HeartbeatExecution'; body: { executionId: string } }
  | { type: 'CompleteExecution'; body: { executionId: string; result?: JsonObject[string] } }
  | { type: 'FailExecution'; body: { executionId: string; error: { code: string; message: string }; retryable?: boolean } }
  | { type: 'Wake'; body: { wakeAt: number; silentSince: number | null } }
  | { type: 'Check'; body: Record<string, never> }
  | { type: 'ConfirmDependencies'; body: { proposal: string } }
  | { type: 'ResetTask'; body: { cascadeId: string; root: string; sequence: number } }
  | { type: 'EraseData'; body: EraseBody };

export type TaskCommandType = TaskCommandBody['type'];

/** Commands that only the cluster itself may send; no door takes them. */
export const INTERNAL_COMMANDS: readonly TaskCommandType[] = ['Wake', 'Check', 'ConfirmDependencies', 'ResetTask'];

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

export type TriggerBody = { context?: JsonObject; triggerReason?: string; conditions?: Conditions };

export type RescheduleBody = { schedule: Schedule; context?: JsonObject; force?: boolean; cascade?: boolean; reason?: string };

/** What a bulk asks of a task: what a single call would. */
export type AskedOfTask = { type: 'TriggerTask'; body: TriggerBody } | { type: 'RescheduleTask'; body: RescheduleBody };

/** Whose data, and what its key is known by; null = there is none (any more). The door has found it: no name of a user gets here. */
export type EraseBody = { subject: 'user' | 'task'; token: string | null };

/**
 * The bodies of the calls of API.md, already valid; a command with an executionId comes from whoever runs it. A claim
 * takes whatever execution of the task nobody has (`claim` is what the caller asked for one execution by: it gets one, whichever task gives it). The last nine come from the
 * cluster itself: look at the due times (`silentSince`: epoch ms, when the executor was last heard), look whether the conditions are met, confirm proposed
 * dependencies, be armed again by a cascade (`sequence` is that of the root's event), and the steps of a
 * reservation for a bulk (reservation.ts; `startedAt` is the bulk's, in epoch ms).
 */
export type TaskCommandBody =
  | { type: 'CreateTask'; body: CreateTaskBody }
  | { type: 'ChangeTask'; body: ChangeTaskBody }
  | AskedOfTask
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
  | { type: 'ReserveTask'; body: { bulkId: string; startedAt: number; asked: AskedOfTask } }
  | { type: 'RetryReservation'; body: { bulkId: string } }
  | { type: 'ConfirmReservation'; body: { bulkId: string } }
  | { type: 'CommitTask'; body: { bulkId: string } }
  | { type: 'ReleaseTask'; body: { bulkId: string } }
  | { type: 'EraseData'; body: EraseBody };

export type TaskCommandType = TaskCommandBody['type'];

/** Commands that only the cluster itself may send; no door takes them. */
export const INTERNAL_COMMANDS: readonly TaskCommandType[] = [
  ...(['Wake', 'Check', 'ConfirmDependencies', 'ResetTask'] as const),
  ...(['ReserveTask', 'RetryReservation', 'ConfirmReservation', 'CommitTask', 'ReleaseTask'] as const),
];

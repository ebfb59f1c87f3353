import type { Fingerprint } from './idempotency.ts';
import type { Role } from './permissions.ts';
import type { TaskCommandBody } from './task/commands.ts';

/** Who acts. `system` is the cluster itself (a retry, a wake-up), `executor` whoever runs executions. */
export type Actor = { id: string; type: 'user' | 'system' | 'executor' };

/** What every command on the work log carries, whichever door it came through. */
export type CommandHeader = {
  /** Unique per door, tenant, user and idempotency key: the same id is the same command. */
  commandId: string;
  tenantId: string;
  taskId: string;
  actor: Actor;
  /** The roles the door found in the caller's credentials; empty for the system. */
  roles: Role[];
  /** Why its sender may not give it, whatever their roles: a door has found that; whoever decides it refuses. */
  denied?: string;
  /** Follows one piece of work through all its commands and events. */
  correlationId: string;
  /** W3C trace context of whoever appended the command. */
  traceparent?: string;
  /** Digests of the request by top-level field; only commands from a door have one, and only they leave a receipt. */
  fingerprint?: Fingerprint;
  /** Where the answer is awaited; absent when nobody waits. */
  replyTo?: string;
  /** The command whose answer this one gives, when a decision took two steps. */
  answersTo?: string;
};

export type Command = CommandHeader & TaskCommandBody;
export type CommandType = Command['type'];

import type { Actor, Command, CommandType } from './command.ts';

export const ROLES = ['viewer', 'operator', 'executor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const VIEW = ['task:read', 'task:read-events'] as const;
const OPERATE = ['task:create', 'task:trigger', 'task:reschedule', 'task:cancel', 'subscription:manage'] as const;
const EXECUTE = ['execution:claim', 'execution:report'] as const;
const ADMINISTER = ['tenant:administer'] as const;

export type Permission = (typeof VIEW)[number] | (typeof OPERATE)[number] | (typeof EXECUTE)[number] | (typeof ADMINISTER)[number];

const GRANTS: Record<Role, readonly Permission[]> = {
  viewer: VIEW,
  operator: [...VIEW, ...OPERATE],
  executor: EXECUTE,
  admin: [...VIEW, ...OPERATE, ...EXECUTE, ...ADMINISTER],
};

export const isGranted = (roles: readonly Role[], permission: Permission): boolean =>
  roles.some((role) => GRANTS[role].includes(permission));

/** What each command needs; null = no door takes it. */
const NEEDED: Record<CommandType, Permission | null> = {
  CreateTask: 'task:create',
  ChangeTask: 'task:create',
  TriggerTask: 'task:trigger',
  RescheduleTask: 'task:reschedule',
  CancelTask: 'task:cancel',
  ClaimExecution: 'execution:claim',
  StartExecution: 'execution:report',
  HeartbeatExecution: 'execution:report',
  CompleteExecution: 'execution:report',
  FailExecution: 'execution:report',
  Wake: null,
  Check: null,
  ConfirmDependencies: null,
  ResetTask: null,
  ReserveTask: null,
  RetryReservation: null,
  ConfirmReservation: null,
  CommitTask: null,
  ReleaseTask: null,
  BulkTrigger: 'task:trigger',
  BulkReschedule: 'task:reschedule',
  GatherResults: null,
  AskBulk: null,
  EraseData: 'tenant:administer',
};

/**
 * P2: a command from a door (only those have a fingerprint) needs its sender's roles to grant it; what the cluster sends itself does not.
 * P3: what a door has denied is not permitted.
 */
export function isPermitted({ type, roles, fingerprint, denied }: Command): boolean {
  if (denied !== undefined) return false;
  const needed = NEEDED[type];
  return fingerprint === undefined || needed === null || isGranted(roles, needed);
}

/** P1: only a task's owner or an admin changes it. The cluster itself acts on behalf of whoever set the work going. */
export const mayChange = (actor: Actor, roles: readonly Role[], owner: string): boolean =>
  actor.type === 'system' || roles.includes('admin') || actor.id === owner;

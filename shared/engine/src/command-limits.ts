import type { Command } from '@retrigger/domain/command.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { Limit } from '@retrigger/ports/limiter.ts';

/** How many triggers are taken in a window; 0 = off. */
export type CommandLimits = { userPerHour: number; taskPerHour: number; systemPerMinute: number; tenantPerMinute: number };

/** What holds for a tenant now. `systemPerMinute` is the installation's, the same for all. */
export type LimitsFor = (tenantId: string) => CommandLimits | Promise<CommandLimits>;

const HOUR_MS = 3_600_000;
export const LONGEST_WINDOW_MS = HOUR_MS;
const MINUTE_MS = 60_000;

/** The limits that a trigger is charged to, the narrowest first; those that are off are left out. */
export function limitsOf(limits: CommandLimits, { tenantId, taskId, actor }: Pick<Command, 'tenantId' | 'taskId' | 'actor'>): Limit[] {
  const { userPerHour, taskPerHour, systemPerMinute, tenantPerMinute } = limits;
  const charged: Limit[] = [];
  if (taskPerHour > 0) charged.push({ name: 'task', key: `task:${taskKey(tenantId, taskId)}`, points: taskPerHour, windowMs: HOUR_MS });
  if (userPerHour > 0) charged.push({ name: 'user', key: `user:${tenantId}/${actor.id}`, points: userPerHour, windowMs: HOUR_MS });
  if (tenantPerMinute > 0) charged.push({ name: 'tenant', key: `tenant:${tenantId}`, points: tenantPerMinute, windowMs: MINUTE_MS });
  if (systemPerMinute > 0) charged.push({ name: 'system', key: 'system', points: systemPerMinute, windowMs: MINUTE_MS });
  return charged;
}

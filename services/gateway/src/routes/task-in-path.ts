import { taskId as taskIdSchema } from '@retrigger/contract/fields.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import { isGranted, type Permission } from '@retrigger/domain/permissions.ts';
import type { Snapshot } from '@retrigger/ports/snapshot-store.ts';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Caller } from '../credentials.ts';
import type { GatewayDeps } from '../deps.ts';
import { invalid, type Problem } from '../problem.ts';

const NOT_PERMITTED: Problem = { code: 'forbidden', detail: 'The caller’s roles do not permit this' };

export const noSuchTask = (taskId: string): Problem => ({ code: 'task_not_found', detail: `There is no task ${taskId}` });

export const mayRead = ({ roles }: Caller, permission: Permission): Problem | undefined =>
  isGranted(roles, permission) ? undefined : NOT_PERMITTED;

const taskIdProblem = (text: string): Problem | undefined => {
  const checked = taskIdSchema.safeParse(text);
  return checked.success ? undefined : invalid('taskId', checked.error.issues[0]?.message ?? 'is no task id');
};

/** The parameter of changing calls. */
export const taskInPath = { name: 'taskId', check: taskIdProblem };
export const taskParameters = z.object({ taskId: taskIdSchema });

export type Found = { taskId: string; key: string; snapshot: Snapshot };

/** A task that the caller may read, or why they may not: another tenant's looks like none. */
export async function taskOf(
  { snapshots }: Pick<GatewayDeps, 'snapshots'>,
  caller: Caller,
  c: Context,
  permission: Permission,
): Promise<Found | Problem> {
  const taskId = c.req.param('taskId') ?? '';
  const problem = taskIdProblem(taskId) ?? mayRead(caller, permission);
  if (problem !== undefined) return problem;
  const key = taskKey(caller.tenantId, taskId);
  const snapshot = (await snapshots.load([key])).get(key);
  return snapshot === undefined ? noSuchTask(taskId) : { taskId, key, snapshot };
}

/** The same for its events. */
export const historyOf = (deps: Pick<GatewayDeps, 'snapshots'>, caller: Caller, c: Context): Promise<Found | Problem> =>
  taskOf(deps, caller, c, 'task:read-events');

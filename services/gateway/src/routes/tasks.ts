import { taskId as taskIdSchema } from '@retrigger/contract/fields.ts';
import { cancelTask, createTask, triggerTask } from '@retrigger/contract/task-bodies.ts';
import { task, triggered } from '@retrigger/contract/task-schema.ts';
import { literalTargetRefusal } from '@retrigger/delivery/private-address.ts';
import { deriveTaskId, taskKey } from '@retrigger/domain/identifiers.ts';
import { isGranted } from '@retrigger/domain/permissions.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Work } from '../changing-call.ts';
import type { Caller } from '../credentials.ts';
import type { GatewayDeps } from '../deps.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { invalidFields, readQuery } from '../query.ts';
import { success } from '../reply.ts';

export const NOT_PERMITTED: Problem = { code: 'forbidden', detail: 'The caller’s roles do not permit this' };

export const noSuchTask = (taskId: string): Problem => ({ code: 'task_not_found', detail: `There is no task ${taskId}` });

export const taskIdProblem = (text: string): Problem | undefined => {
  const checked = taskIdSchema.safeParse(text);
  return checked.success ? undefined : invalid('taskId', checked.error.issues[0]?.message ?? 'is no task id');
};

const inPath = { name: 'taskId', check: taskIdProblem };
export const taskParameters = z.object({ taskId: taskIdSchema });

export function taskRoutes(api: Api): void {
  const { deps } = api;
  api.change(
    {
      method: 'POST',
      path: '/api/v1/tasks',
      permission: 'task:create',
      actor: 'user',
      schema: createTask,
      cost: 0,
      work: (_, { taskId, ...body }, commandId) => ({ type: 'CreateTask', taskId: taskId ?? deriveTaskId(commandId), body }),
      verify: (caller, work) => verifyCreate(caller, work, deps),
    },
    {
      summary: 'Create a task',
      tag: 'Tasks',
      body: createTask,
      success: { 201: { description: 'The new task; `target.secret` is shown this once', data: task, headers: { Location: 'The task' } } },
      problems: ['circular_dependency', 'task_exists'],
    },
  );
  api.change(
    {
      method: 'POST',
      path: '/api/v1/tasks/{taskId}/trigger',
      permission: 'task:trigger',
      actor: 'user',
      schema: triggerTask,
      cost: 1,
      parameter: inPath,
      work: (taskId, body) => ({ type: 'TriggerTask', taskId, body }),
    },
    {
      summary: 'Trigger a task now',
      description: 'From Draft, Scheduled and Failed. Only its owner or an admin.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: triggerTask,
      success: { 202: { description: 'Triggered', data: triggered } },
      problems: ['task_not_found', 'task_already_running', 'invalid_state'],
    },
  );
  api.change(
    {
      method: 'POST',
      path: '/api/v1/tasks/{taskId}/cancel',
      permission: 'task:cancel',
      actor: 'user',
      schema: cancelTask,
      cost: 0,
      parameter: inPath,
      work: (taskId, body) => ({ type: 'CancelTask', taskId, body }),
    },
    {
      summary: 'Cancel a task',
      description: 'From Draft, Scheduled, Running and Failed. Only its owner or an admin.',
      tag: 'Tasks',
      parameters: taskParameters,
      body: cancelTask,
      success: { 200: { description: 'The task', data: task } },
      problems: ['task_not_found', 'invalid_state'],
    },
  );
  api.read(
    '/api/v1/tasks/{taskId}',
    {
      summary: 'A task as it is now',
      tag: 'Tasks',
      parameters: taskParameters,
      success: { 200: { description: 'The task', data: task } },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const taskId = c.req.param('taskId') ?? '';
      const query = readQuery(c.req.url, []);
      const problem =
        taskIdProblem(taskId) ??
        (query.kind === 'problem' ? query.problem : isGranted(caller.roles, 'task:read') ? undefined : NOT_PERMITTED);
      if (problem !== undefined) return problemReply(problem, c.req.path);
      const key = taskKey(caller.tenantId, taskId);
      const snapshot = (await deps.snapshots.load([key])).get(key);
      return snapshot === undefined ? problemReply(noSuchTask(taskId), c.req.path) : success(200, taskView(snapshot.state as TaskState));
    },
  );
}

/** What only the door can see of a new task: that its target may be called, and that its dependencies exist. */
async function verifyCreate(caller: Caller, { taskId, ...work }: Work, deps: GatewayDeps): Promise<Problem | undefined> {
  if (work.type !== 'CreateTask') return undefined;
  const { target, dependencies = [] } = work.body;
  const refusal = target === undefined ? undefined : literalTargetRefusal(target.url, deps.config.allowPrivateTargets);
  if (refusal !== undefined) return invalid('target.url', refusal);
  if (dependencies.includes(taskId))
    return { code: 'circular_dependency', detail: `Task ${taskId} would depend on itself`, more: { cycle: [taskId, taskId] } };
  if (dependencies.length === 0) return undefined;
  const known = await deps.snapshots.load(dependencies.map((id) => taskKey(caller.tenantId, id)));
  const unknown = dependencies.flatMap((id, i) =>
    known.has(taskKey(caller.tenantId, id)) ? [] : [{ path: `dependencies[${i}]`, message: `names ${id}, which does not exist` }],
  );
  return unknown.length === 0 ? undefined : invalidFields(unknown);
}

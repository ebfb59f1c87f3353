import { erased, erasure } from '@retrigger/contract/erasure-schema.ts';
import { TENANT_STREAM, taskKey } from '@retrigger/domain/identifiers.ts';
import { isGranted } from '@retrigger/domain/permissions.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { z } from 'zod';
import type { Api } from '../api.ts';
import type { Work } from '../command-table.ts';
import { invalid, type Problem } from '../problem.ts';
import { noSuchTask } from './task-in-path.ts';

const notTheirs = (body: z.infer<typeof erasure>): Work =>
  'taskId' in body
    ? { type: 'EraseData', taskId: body.taskId, body: { subject: 'task', token: null } }
    : { type: 'EraseData', taskId: TENANT_STREAM, body: { subject: 'user', token: null } };

/** The right to be forgotten. The door looks up the key, so that no name of a user gets any further. */
export function erasureRoutes(api: Api): void {
  const { deps } = api;
  const { ring } = deps.privacy;

  async function ofTask(tenantId: string, taskId: string): Promise<Work | Problem> {
    const key = taskKey(tenantId, taskId);
    const snapshot = (await deps.snapshots.load([key])).get(key);
    if (snapshot === undefined) return noSuchTask(taskId);
    if (!(snapshot.state as TaskState).sensitive)
      return invalid('taskId', `names ${taskId}, which was not created as sensitive: nothing of it is sealed`);
    const token = (await ring.findKey(tenantId, taskId))?.token ?? null;
    return { type: 'EraseData', taskId, body: { subject: 'task', token } };
  }

  async function ofUser(tenantId: string, userId: string): Promise<Work> {
    const token = (await ring.findToken(tenantId, userId)) ?? null;
    return { type: 'EraseData', taskId: TENANT_STREAM, body: { subject: 'user', token } };
  }

  api.change(
    {
      method: 'POST',
      path: '/api/v1/erasures',
      actor: 'user',
      schema: erasure,
      cost: () => 0,
      namesPeople: true,
      work: (_, body, _id, caller) => {
        if (!isGranted(caller.roles, 'tenant:administer')) return notTheirs(body); // the worker refuses it
        return 'taskId' in body ? ofTask(caller.tenantId, body.taskId) : ofUser(caller.tenantId, body.userId);
      },
    },
    {
      summary: 'Erase what is known of a user, or what a sensitive task holds',
      description:
        'Destroys the key: events stay and their chain holds, but nobody can tell any more whose they are, or what was sealed in them. It is an event itself (`DataErased`): of the task, or of the tenant when it is about a user. Doing it again changes nothing. Only an admin.',
      tag: 'Privacy',
      body: erasure,
      success: { 202: { description: 'Erased', data: erased } },
      problems: ['task_not_found', 'invalid_state'],
    },
  );
}

import { task, taskPage } from '@retrigger/contract/task-schema.ts';
import { STATUSES, type TaskState } from '@retrigger/domain/task/state.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { archivedOf, NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Caller } from '../credentials.ts';
import { makeCursor, NOT_ITS_CURSOR, readCursor } from '../cursor.ts';
import { isProblem } from '../exchange.ts';
import { readInstants } from '../instants-query.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { type Reply, success } from '../reply.ts';
import { taskAsOf } from '../task-as-of.ts';
import { findTasks, placeOf, placeText, readTaskQuery, type TaskQuery } from '../task-query.ts';
import { withOwnersToken } from '../tokens-query.ts';
import { mayRead, taskOf, taskParameters } from './task-in-path.ts';

const listQuery = z.object({
  status: z.enum(STATUSES).optional(),
  type: z.string().optional(),
  owner: z.string().optional().meta({ description: 'The id of a user' }),
  critical: z.enum(['true', 'false']).optional(),
  cursor: z.string().optional().meta({ description: '`nextCursor` of the page before; good for the same query only' }),
  pageSize: z.int().min(1).max(1_000).optional().meta({ description: '100 when absent' }),
});

const atQuery = z.object({
  at: z.iso.datetime().optional().meta({ description: 'As it was then, events at that instant included; now when absent' }),
});

/** Tasks as they are, and as they were. */
export function taskListRoutes(api: Api): void {
  const { deps } = api;
  const { disclosure } = deps.privacy;

  async function page({ tenantId }: Caller, query: TaskQuery): Promise<Reply | Problem> {
    const place = query.cursor === null ? null : readCursor(deps.secrets, tenantId, query.question, query.cursor);
    if (place === undefined) return invalid('cursor', NOT_ITS_CURSOR);
    const { tasks, next } = await findTasks(deps.snapshots, tenantId, query, place === null ? null : placeOf(place));
    return success(200, {
      tasks: await disclosure.tasks(
        tenantId,
        tasks.map(({ state }) => taskView(state as TaskState)),
      ),
      pageInfo: {
        hasMore: next !== null,
        nextCursor: next === null ? null : makeCursor(deps.secrets, tenantId, query.question, placeText(next)),
      },
    });
  }

  api.read(
    '/api/v1/tasks',
    {
      summary: 'The tasks of the tenant, by type and id',
      description:
        'A page may be shorter than `pageSize` although there are more (where few match, or tasks are large): only `hasMore` says.',
      tag: 'Tasks',
      query: listQuery,
      success: { 200: { description: 'A page of tasks', data: taskPage } },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const query = await withOwnersToken(deps, caller, readTaskQuery(c.req.url));
      if (isProblem(query)) return problemReply(query, c.req.path);
      const reply = mayRead(caller, 'task:read') ?? (await page(caller, query));
      return isProblem(reply) ? problemReply(reply, c.req.path) : reply;
    },
  );
  api.read(
    '/api/v1/tasks/{taskId}',
    {
      summary: 'A task, now or as of an instant',
      tag: 'Tasks',
      parameters: taskParameters,
      query: atQuery,
      success: { 200: { description: 'The task', data: task } },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const query = readInstants(c.req.url, ['at']);
      if (isProblem(query)) return problemReply(query, c.req.path);
      const found = await taskOf(deps, caller, c, 'task:read');
      if (isProblem(found)) return problemReply(found, c.req.path);
      const archived = query.at === undefined ? NOTHING_ARCHIVED : await archivedOf(deps.documents, found.key);
      if (query.at !== undefined && archived.last > 0 && query.at < Date.parse(archived.at))
        return problemReply(invalid('at', `lies before ${archived.at}, and what happened until then is archived`), c.req.path);
      const state =
        query.at === undefined ? (found.snapshot.state as TaskState) : await taskAsOf(deps.events, found.key, query.at, archived);
      return state === undefined
        ? problemReply({ code: 'task_not_found', detail: `There was no task ${found.taskId} yet` }, c.req.path)
        : success(200, await disclosure.task(caller.tenantId, taskView(state)));
    },
  );
}

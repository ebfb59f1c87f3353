import { taskChanges, verified } from '@retrigger/contract/event-schema.ts';
import { archivedOf } from '@retrigger/engine/archived-events.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { archivedPart } from '../archived-part.ts';
import { isProblem } from '../exchange.ts';
import { readInstants } from '../instants-query.ts';
import { openedEvents } from '../opened-events.ts';
import { invalid, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { success } from '../reply.ts';
import { taskDiff } from '../task-diff.ts';
import { verifyHistory } from '../verify-history.ts';
import { historyOf, taskParameters } from './task-in-path.ts';

/** Of two dates the whole days count: from as it was before the first, to as it was after the last. */
const WHOLE_DAYS = { from: -1, to: 86_400_000 - 1 };

const diffQuery = z.object({
  from: z
    .string()
    .optional()
    .meta({ description: 'An instant (as it was then, events at it included), or a date (as it was before that UTC day)' }),
  to: z
    .string()
    .optional()
    .meta({ description: 'An instant (as it was then, events at it included), or a date (as it was at the end of that UTC day)' }),
});

/** What follows from a task's history as a whole. */
export function historyRoutes(api: Api): void {
  const { deps } = api;
  api.read(
    '/api/v1/tasks/{taskId}/events/verify',
    {
      summary: 'Whether a task’s history is as it was written',
      description: 'Follows the chain of hashes from the first event to the last.',
      tag: 'History',
      parameters: taskParameters,
      success: { 200: { description: 'What was found', data: verified } },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const query = readQuery(c.req.url, []);
      const found = query.kind === 'problem' ? query.problem : await historyOf(deps, caller, c);
      if (isProblem(found)) return problemReply(found, c.req.path);
      return success(200, await verifyHistory(deps.events, found.key, found.snapshot.head, await archivedOf(deps.documents, found.key)));
    },
  );
  api.read(
    '/api/v1/tasks/{taskId}/diff',
    {
      summary: 'What is different in a task between two instants',
      description:
        'Without `from` from before it was created (or from where older events are archived), without `to` up to now. `version` and `updatedAt` are left out: every change changes them.',
      tag: 'History',
      parameters: taskParameters,
      query: diffQuery,
      success: { 200: { description: 'What changed, by path', data: taskChanges } },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const query = readInstants(c.req.url, ['from', 'to'], WHOLE_DAYS);
      if (isProblem(query)) return problemReply(query, c.req.path);
      const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
      if (from > to) return problemReply(invalid('from', 'must not be after to'), c.req.path);
      const found = await historyOf(deps, caller, c);
      if (isProblem(found)) return problemReply(found, c.req.path);
      const archived = await archivedOf(deps.documents, found.key);
      const start = archived.last === 0 ? from : Math.max(from, Date.parse(archived.at));
      if (query.from !== undefined && start > from)
        return problemReply(invalid('from', `lies before ${archived.at}, and what happened until then is archived`), c.req.path);
      const changes = await taskDiff(openedEvents(deps), found.key, start, to, archived);
      return success(200, { changes, ...archivedPart(archived) });
    },
  );
}

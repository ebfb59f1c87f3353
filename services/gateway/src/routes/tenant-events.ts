import { eventPage } from '@retrigger/contract/event-schema.ts';
import { taskId as taskIdSchema } from '@retrigger/contract/fields.ts';
import { lowestMark } from '@retrigger/engine/lowest-mark.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import type { Api } from '../api.ts';
import { EXPORT_TYPES } from '../event-export.ts';
import { eventReply } from '../event-pages.ts';
import { readEventQuery } from '../event-query.ts';
import { isProblem } from '../exchange.ts';
import { tenantHistory, tenantHistoryOfTask } from '../histories.ts';
import { openedEvents } from '../opened-events.ts';
import { problemReply } from '../problem.ts';
import { withActorsToken } from '../tokens-query.ts';
import type { Totals } from '../totals.ts';
import { eventParameters } from './events.ts';
import { mayRead } from './task-in-path.ts';

const parameters = eventParameters.extend({ taskId: taskIdSchema.optional().meta({ description: 'Of one task only' }) });

/** The history of all of a tenant's tasks. */
export function tenantEventRoutes(api: Api, totals: Totals): void {
  const { deps } = api;
  const opened = openedEvents(deps);
  api.read(
    '/api/v1/events',
    {
      summary: 'The history of all tasks',
      description: 'By `timestamp` and `eventId`. It trails by up to a second, so that a walk along its cursor misses nothing.',
      tag: 'History',
      query: parameters,
      success: {
        200: { description: 'A page of events; with `format` all that match', data: eventPage, text: Object.values(EXPORT_TYPES) },
      },
      problems: ['invalid_request', 'forbidden'],
    },
    async (caller, c) => {
      const query = await withActorsToken(deps, caller, readEventQuery(c.req.url, 'tenant'));
      if (isProblem(query)) return problemReply(query, c.req.path);
      const refused = mayRead(caller, 'task:read-events');
      if (refused !== undefined) return problemReply(refused, c.req.path);
      const mark = await lowestMark(deps.snapshots, deps.log.partitionCount(TOPICS.work)); // M2
      const asked = { ...query, tenantId: caller.tenantId };
      const { taskId } = query;
      const history = taskId === null ? tenantHistory(opened, asked, mark) : tenantHistoryOfTask(opened, asked, taskId, mark);
      const reply = await eventReply(deps, totals, caller, history, query);
      return isProblem(reply) ? problemReply(reply, c.req.path) : reply;
    },
  );
}

import { EVENT_TYPES, eventPage, event as eventSchema } from '@retrigger/contract/event-schema.ts';
import { sequenceOf } from '@retrigger/domain/identifiers.ts';
import { archivedOf } from '@retrigger/engine/archived-events.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { EXPORT_FORMATS, EXPORT_TYPES } from '../event-export.ts';
import { eventReply, rawReply } from '../event-pages.ts';
import { readEventQuery } from '../event-query.ts';
import { isProblem } from '../exchange.ts';
import { taskHistory } from '../histories.ts';
import { openedEvents } from '../opened-events.ts';
import { problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import { withActorsToken } from '../tokens-query.ts';
import type { Totals } from '../totals.ts';
import { historyOf, taskParameters } from './task-in-path.ts';

export const eventParameters = z.object({
  types: z
    .string()
    .optional()
    .meta({ description: `Some of ${EVENT_TYPES.join(', ')}, separated by commas` }),
  from: z.string().optional().meta({ description: 'An instant, or a date (from the beginning of that UTC day); included' }),
  to: z.string().optional().meta({ description: 'An instant, or a date (to the end of that UTC day); included' }),
  actor: z.string().optional().meta({ description: 'The id of an actor' }),
  order: z.enum(['asc', 'desc']).optional().meta({ description: 'asc when absent' }),
  cursor: z.string().optional().meta({ description: '`nextCursor` of the page before; good for the same query only' }),
  pageSize: z.int().min(1).max(1_000).optional().meta({
    description: '100 when absent; a page ends early rather than be larger than 4 MiB: only `hasMore` tells',
  }),
  format: z.enum(EXPORT_FORMATS).optional().meta({ description: 'Streams all that match as a file; not with `cursor` or `pageSize`' }),
});

export function eventRoutes(api: Api, totals: Totals): void {
  const { deps } = api;
  const opened = openedEvents(deps);
  api.read(
    '/api/v1/tasks/{taskId}/events',
    {
      summary: 'The history of a task',
      tag: 'History',
      parameters: taskParameters,
      query: eventParameters,
      success: {
        200: { description: 'A page of events; with `format` all that match', data: eventPage, text: Object.values(EXPORT_TYPES) },
      },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const query = await withActorsToken(deps, caller, readEventQuery(c.req.url));
      if (isProblem(query)) return problemReply(query, c.req.path);
      const found = await historyOf(deps, caller, c);
      if (isProblem(found)) return problemReply(found, c.req.path);
      const { tenantId } = caller;
      const archived = await archivedOf(deps.documents, found.key);
      const history = taskHistory(opened, { ...query, tenantId }, found.taskId, found.snapshot.head.sequence, archived);
      const reply = await eventReply(deps, totals, caller, history, query);
      return isProblem(reply) ? problemReply(reply, c.req.path) : reply;
    },
  );

  api.read(
    '/api/v1/tasks/{taskId}/events/{eventId}',
    {
      summary: 'One event',
      tag: 'History',
      parameters: taskParameters.extend({ eventId: z.string().max(300) }),
      success: { 200: { description: 'The event', data: eventSchema } },
      problems: ['invalid_request', 'forbidden', 'task_not_found', 'not_found'],
    },
    async (caller, c) => {
      const query = readQuery(c.req.url, []);
      const history = query.kind === 'problem' ? query.problem : await historyOf(deps, caller, c);
      if (isProblem(history)) return problemReply(history, c.req.path);
      const sequence = sequenceOf(history.key, c.req.param('eventId') ?? '');
      const range = { from: sequence ?? 0, to: sequence ?? 0, limit: 1, order: 'asc' as const };
      const [stored] = sequence === undefined ? [] : await opened.read(history.key, range);
      return stored === undefined
        ? problemReply({ code: 'not_found', detail: 'There is no such event' }, c.req.path)
        : rawReply(`{"data":${stored.json},"status":200}`);
    },
  );
}

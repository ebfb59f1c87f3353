import { EVENT_TYPES, eventPage, event as eventSchema } from '@retrigger/contract/event-schema.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import { sequenceOf } from '@retrigger/domain/identifiers.ts';
import { archivedOf } from '@retrigger/engine/archived-events.ts';
import { z } from 'zod';
import type { Api } from '../api.ts';
import { archivedPart } from '../archived-part.ts';
import type { Caller } from '../credentials.ts';
import { makeCursor, NOT_ITS_CURSOR, readCursor } from '../cursor.ts';
import { EXPORT_FORMATS, EXPORT_TYPES, exportReply } from '../event-export.ts';
import { type EventQuery, readEventQuery } from '../event-query.ts';
import { isProblem } from '../exchange.ts';
import { openedEvents } from '../opened-events.ts';
import { invalid, type Problem, problemReply } from '../problem.ts';
import { readQuery } from '../query.ts';
import type { Reply } from '../reply.ts';
import { inChunks } from '../stored-history.ts';
import { withActorsToken } from '../tokens-query.ts';
import { type Found, historyOf, taskParameters } from './task-in-path.ts';

const queryParameters = z.object({
  types: z
    .string()
    .optional()
    .meta({ description: `Some of ${EVENT_TYPES.join(', ')}, separated by commas` }),
  from: z.string().optional().meta({ description: 'An instant, or a date (from the beginning of that UTC day); included' }),
  to: z.string().optional().meta({ description: 'An instant, or a date (to the end of that UTC day); included' }),
  actor: z.string().optional().meta({ description: 'The id of an actor' }),
  order: z.enum(['asc', 'desc']).optional().meta({ description: 'asc when absent' }),
  cursor: z.string().optional().meta({ description: '`nextCursor` of the page before; good for the same query only' }),
  pageSize: z.int().min(1).max(1_000).optional().meta({ description: '100 when absent' }),
  format: z.enum(EXPORT_FORMATS).optional().meta({ description: 'Streams all that match as a file; not with `cursor` or `pageSize`' }),
});

export function eventRoutes(api: Api): void {
  const { deps } = api;
  const opened = openedEvents(deps);

  const answer = (caller: Caller, history: Found, query: EventQuery): Promise<Reply | Problem> =>
    query.format === null
      ? page(caller, history, query)
      : exportReply(query.format, `${history.taskId}-events`, inChunks(opened, history.key, query.filter, query.order), deps.observer);

  async function page(caller: Caller, { taskId, key }: Found, query: EventQuery): Promise<Reply | Problem> {
    const question = `${taskId}\n${query.fingerprint}`;
    const place = query.cursor === null ? null : readCursor(deps.secrets, caller.tenantId, question, query.cursor);
    if (place === undefined) return invalid('cursor', NOT_ITS_CURSOR);
    const after = place === null ? null : Number(place);
    const { filter, order, pageSize } = query;
    const [found, total, archived] = await Promise.all([
      opened.page(key, filter, { after, limit: pageSize + 1, order }),
      deps.events.count(key, filter),
      archivedOf(deps.documents, key),
    ]);
    const shown = found.slice(0, pageSize);
    const last = shown.at(-1);
    const hasMore = found.length > pageSize && last !== undefined;
    const nextCursor = hasMore ? makeCursor(deps.secrets, caller.tenantId, question, String(last.event.sequence)) : null;
    const events = shown.map(({ json }) => json).join(',');
    const page = `"events":[${events}],"pageInfo":${canonicalJson({ hasMore, nextCursor })},"total":${total}`;
    const older = archived.last === 0 ? '' : `${canonicalJson(archivedPart(archived)).slice(1, -1)},`;
    return rawReply(`{"data":{${older}${page}},"status":200}`);
  }

  api.read(
    '/api/v1/tasks/{taskId}/events',
    {
      summary: 'The history of a task',
      tag: 'History',
      parameters: taskParameters,
      query: queryParameters,
      success: {
        200: { description: 'A page of events; with `format` all that match', data: eventPage, text: Object.values(EXPORT_TYPES) },
      },
      problems: ['invalid_request', 'forbidden', 'task_not_found'],
    },
    async (caller, c) => {
      const query = await withActorsToken(deps, caller, readEventQuery(c.req.url));
      const history = isProblem(query) ? query : await historyOf(deps, caller, c);
      const reply = isProblem(query) ? query : isProblem(history) ? history : await answer(caller, history, query);
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

/** Events are shown as they are stored, but for what could be opened: that stands beside its sealed form, so that the hash can be checked. */
const rawReply = (body: string): Reply => ({
  status: 200,
  body,
  headers: { 'content-type': 'application/json' },
});

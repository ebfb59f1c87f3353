import { EVENT_TYPES } from '@retrigger/contract/event-schema.ts';
import { taskId as taskIdSchema } from '@retrigger/contract/fields.ts';
import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Api } from '../api.ts';
import type { Caller } from '../credentials.ts';
import { NOT_ITS_CURSOR, readCursor } from '../cursor.ts';
import type { GatewayDeps } from '../deps.ts';
import { readTypes, TYPES } from '../event-query.ts';
import { type Connection, type Followed, streamReply } from '../event-stream.ts';
import { callerOf, isProblem } from '../exchange.ts';
import { LiveEvents, STREAM } from '../live-events.ts';
import { type Problem, problemReply } from '../problem.ts';
import { invalidFields, readQuery } from '../query.ts';
import { mayRead } from './task-in-path.ts';

const parameters = z.object({
  types: z
    .string()
    .optional()
    .meta({ description: `Some of ${EVENT_TYPES.join(', ')}, separated by commas` }),
  taskId: taskIdSchema.optional().meta({ description: 'Of one task only' }),
});

const FULL: Problem = { code: 'overloaded', detail: 'Too many streams are open; end some, or try again later' };

export function eventStreamRoutes(api: Api): void {
  const { deps } = api;
  const live = new LiveEvents(deps);
  api.read(
    '/api/v1/events/stream',
    {
      summary: 'Events as they happen',
      description:
        'Server-sent events: `data` is the event, `id` what to send back as `Last-Event-ID` to go on behind it; without it, from now on: the answer’s own header `Last-Event-ID` says where that is. By `timestamp` and `eventId`, trailing by up to a second, so that nothing is missed. A comment comes every 15 s. A client that takes nothing for 30 s is dropped.',
      tag: 'History',
      query: parameters,
      success: { 200: { description: 'The events', text: 'text/event-stream' } },
      problems: ['invalid_request', 'forbidden', 'overloaded'],
    },
    async (caller, c) => {
      const followed = readFollowed(deps, caller, c);
      if (isProblem(followed)) return problemReply(followed, c.req.path);
      if (!live.hasPlace(caller.tenantId)) return problemReply(FULL, c.req.path);
      return streamReply(live, deps.clock, followed, (c.env ?? {}) as Connection);
    },
  );
}

function readFollowed(deps: Pick<GatewayDeps, 'secrets' | 'credentials'>, caller: Caller, c: Context): Followed | Problem {
  const query = readQuery(c.req.url, ['types', 'taskId']);
  if (query.kind === 'problem') return query.problem;
  const { tenantId } = caller;
  const { types, taskId } = query.values;
  const errors: FieldError[] = [];
  const wanted = types === undefined ? EVENT_TYPES : readTypes(types);
  if (wanted === undefined) errors.push({ path: 'types', message: TYPES });
  if (taskId !== undefined && !ID_PATTERN.test(taskId)) errors.push({ path: 'taskId', message: 'must be the id of a task' });
  const id = c.req.header('last-event-id') ?? '';
  const after = id === '' ? null : readCursor(deps.secrets, tenantId, STREAM, id);
  if (after === undefined) errors.push({ path: 'Last-Event-ID', message: NOT_ITS_CURSOR });
  if (wanted === undefined || after === undefined || errors.length > 0) return invalidFields(errors);
  const isWelcome = async () => !isProblem(await callerOf(c, deps));
  return mayRead(caller, 'task:read-events') ?? { tenantId, types: wanted, taskId: taskId ?? null, after, isWelcome };
}

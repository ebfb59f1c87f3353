import type { RouteConfig } from '@hono/zod-openapi';
import { event } from '@retrigger/contract/event-schema.ts';
import { PROBLEM_TITLES, type ProblemCode } from '@retrigger/contract/problem-codes.ts';
import { problem as problemSchema } from '@retrigger/contract/problem-schema.ts';
import { z } from 'zod';
import { statusOf } from './problem.ts';

/** What the OpenAPI document says about a call, besides what holds for all. */
export type Described = {
  summary: string;
  description?: string;
  tag: 'Tasks' | 'History' | 'Executions' | 'Commands' | 'Administration' | 'Privacy' | 'Notifications' | 'Service';
  /** The gateway carries it out itself, so it is never pending. */
  isDirect?: true;
  parameters?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** By status: `data` of a success, or another body with its media type. */
  success: {
    [status: number]: {
      description: string;
      data?: z.ZodType;
      /** The media types of answers that are no JSON envelope. */
      text?: string | string[];
      headers?: { [name: string]: string };
    };
  };
  problems?: ProblemCode[];
};

const READ_PROBLEMS: ProblemCode[] = ['unauthenticated', 'unavailable'];
const CHANGE_PROBLEMS: ProblemCode[] = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'payload_too_large',
  'unsupported_media_type',
  'idempotency_key_reused',
  'rate_limited',
  'overloaded',
  'unavailable',
];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const dryRun = z
  .strictObject({
    verdict: z.enum(['accepted', 'refused']),
    answer: z.looseObject({}).optional().meta({ description: 'What the call would answer; ids in it are not those of any later call' }),
    problem: problemSchema.optional(),
    events: z.array(event).meta({ description: 'The events that it would write' }),
  })
  .meta({ id: 'DryRun', description: 'With `dryRun=true`: what would come of it now. Nothing has changed, and nothing was charged' });

const dryRunQuery = z.object({ dryRun: z.enum(['true', 'false']).optional().meta({ description: 'Only tell what would come of it' }) });

const pending = z.strictObject({ commandId: z.string(), state: z.literal('pending') }).meta({ id: 'Pending' });

const changeHeaders = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional().meta({
    description: 'Makes a repeat harmless for 24 h: it gets the first answer again. `X-Idempotency-Key` is the same.',
  }),
  Prefer: z.string().optional().meta({ description: '`wait=N` (up to 60 s, default 2) or `respond-async`', example: 'wait=10' }),
});

const header = (description: string) => ({ description, schema: { type: 'string' as const } });
const REQUEST_ID = { 'X-Request-Id': header('The id of this request') };
const COMMAND_ID = { 'X-Command-Id': header('The id of the command') };
const REPLAYED = { 'Idempotent-Replayed': header('`true` on the repeat of a first answer') };

const RETRY_AFTER = { 'Retry-After': header('In how many seconds to try again') };

/** Refusals by a worker are kept for repeats, like what it accepted. */
const KEPT = new Set([400, 404, 409]);

/** What an answer says besides, by status. */
const BESIDES: { [status: number]: { [name: string]: ReturnType<typeof header> } } = {
  401: { 'WWW-Authenticate': header('`Bearer`') },
  429: {
    ...RETRY_AFTER,
    RateLimit: header('What is left of the limit (`r`), and in how many seconds that changes (`t`)'),
    'RateLimit-Policy': header('The limit: `q` in `w` seconds; without `w` it is how many may wait at once'),
  },
  503: RETRY_AFTER,
};

/** A call's entry in the document. */
export function describeRoute(method: Method, path: string, described: Described, hasDryRun: boolean): RouteConfig {
  const isChange = method !== 'GET';
  const isOpen = described.tag === 'Service';
  const headers = isChange ? { ...REQUEST_ID, ...COMMAND_ID } : REQUEST_ID;
  const responses: RouteConfig['responses'] = {};
  for (const [status, { description, data, text, headers: more = {} }] of Object.entries(described.success)) {
    const content: { [mediaType: string]: { schema?: z.ZodType } } = {};
    if (data !== undefined) content['application/json'] = { schema: enveloped(Number(status), data) };
    // An event stream has none: readers of the document take it for that of one event, which OpenAPI 3.1 can't describe.
    for (const mediaType of [text ?? []].flat()) content[mediaType] = mediaType === 'text/event-stream' ? {} : { schema: z.string() };
    const extra = Object.fromEntries(Object.entries(more).map(([name, what]) => [name, header(what)]));
    responses[status] = { description, headers: { ...headers, ...(isChange ? REPLAYED : {}), ...extra }, content };
  }
  if (isChange && !described.isDirect) addPending(described, responses, headers);
  if (hasDryRun) addDryRun(described, responses, headers);
  const codes = new Set([...(isOpen ? [] : isChange ? CHANGE_PROBLEMS : READ_PROBLEMS), ...(described.problems ?? [])]);
  for (const [status, titles] of byStatus(codes))
    responses[status] = {
      description: titles,
      headers: { ...headers, ...(isChange && !described.isDirect && KEPT.has(status) ? REPLAYED : {}), ...BESIDES[status] },
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  const query = hasDryRun ? dryRunQuery : described.query;
  return {
    method: method.toLowerCase() as Lowercase<Method>,
    path,
    summary: described.summary,
    ...(described.description === undefined ? {} : { description: described.description }),
    tags: [described.tag],
    security: isOpen ? [] : [{ bearer: [] }],
    request: {
      ...(described.parameters === undefined ? {} : { params: described.parameters }),
      ...(query === undefined ? {} : { query }),
      ...(isChange ? { headers: changeHeaders } : {}),
      ...(described.body === undefined ? {} : { body: { content: { 'application/json': { schema: described.body } } } }),
    },
    responses,
  };
}

const enveloped = (status: number, data: z.ZodType) => z.strictObject({ status: z.literal(status), data });

type Headers = { [name: string]: ReturnType<typeof header> };

function addDryRun(described: Described, responses: RouteConfig['responses'], headers: Headers): void {
  const decided = described.success[200];
  const description = decided === undefined ? 'What would come of it' : `${decided.description}; or what would come of it`;
  const schema = enveloped(200, decided?.data === undefined ? dryRun : z.union([decided.data, dryRun]));
  responses[200] = { description, headers: { ...headers, ...REPLAYED }, content: { 'application/json': { schema } } };
}

/** Every changing call may be answered before it is decided. */
function addPending(described: Described, responses: RouteConfig['responses'], headers: Headers): void {
  const decided = described.success[202];
  const answered = pending.meta({ description: 'Taken and not decided yet' });
  responses[202] = {
    description: decided === undefined ? 'Taken, and not decided yet' : `${decided.description}; or taken, and not decided yet`,
    headers: { ...headers, ...REPLAYED, Location: header('Where the outcome will be found, when it is pending') },
    content: {
      'application/json': {
        schema: enveloped(202, decided?.data === undefined ? answered : z.union([decided.data, answered])),
      },
    },
  };
}

function byStatus(codes: Iterable<ProblemCode>): Map<number, string> {
  const texts = new Map<number, string>();
  for (const code of codes) {
    const text = `${PROBLEM_TITLES[code]} (\`${code}\`)`;
    const before = texts.get(statusOf(code));
    texts.set(statusOf(code), before === undefined ? text : `${before}; ${text}`);
  }
  return texts;
}

export const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Retrigger',
    version: '0.1.0',
    description: 'Trigger tasks now, reschedule them, and see everything that ever happened to them.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
} as const;

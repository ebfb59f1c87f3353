import type { Context } from 'hono';
import type { Caller } from './credentials.ts';
import { bearerToken } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { commandPath } from './outcome-reply.ts';
import { type Problem, problemReply } from './problem.ts';
import { type Reply, toResponse } from './reply.ts';
import { requestIdOf } from './request-headers.ts';

type Told = Pick<GatewayDeps, 'clock' | 'observer' | 'freshId'>;

/**
 * One request: gives it an id, times it, tells about refusals, and turns a throw (a broken machine or a bug) into `unavailable`.
 * Successes are measured and not logged. `id` is for the command that it becomes, so that also a throw's answer names it.
 */
export async function respond(
  c: Context,
  route: string,
  told: Told,
  run: (requestId: string, id: { commandId: string }) => Promise<Reply>,
): Promise<Response> {
  const { clock, observer } = told;
  const startedAt = clock.now();
  const requestId = requestIdOf(c.req.header('x-request-id'), told.freshId);
  const id = { commandId: '' };
  const reply = await run(requestId, id).catch((error: unknown) => {
    observer.log('error', 'a request failed', {
      route,
      requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (id.commandId === '') return problemReply({ code: 'unavailable', detail: AWAY }, c.req.path);
    return named(problemReply({ code: 'unavailable', detail: MAY_BE_DONE }, commandPath(id.commandId)), id.commandId);
  });
  reply.headers['x-request-id'] = requestId;
  observer.measure('http_request_seconds', (clock.now() - startedAt) / 1000, { route, status: String(reply.status) });
  if (reply.refusal !== undefined) {
    observer.count('requests_refused_total', { code: reply.refusal });
    observer.log('info', 'request refused', { route, requestId, code: reply.refusal, status: reply.status });
  }
  if (c.req.method === 'HEAD' && reply.body instanceof ReadableStream) {
    await reply.body.cancel(); // nobody will read it, and what it holds would be held for ever
    reply.body = '';
  }
  return toResponse(reply);
}

const AWAY = 'Something that is needed does not answer; try again';
const MAY_BE_DONE =
  'Something that is needed does not answer, and it is not known whether this was done; try again, with the same idempotency key if it had one';

const UNAUTHENTICATED: Problem = {
  code: 'unauthenticated',
  detail: 'Send a valid API key or token as "Authorization: Bearer <key>"',
  headers: { 'www-authenticate': 'Bearer' },
};

/** Who calls, or why we don't know. Which of the two was wrong, the header or the key, is not told. */
export async function callerOf(c: Context, deps: Pick<GatewayDeps, 'credentials'>): Promise<Caller | Problem> {
  const token = bearerToken(c.req.header('authorization'));
  return (token === undefined ? undefined : await deps.credentials.identify(token)) ?? UNAUTHENTICATED;
}

export function named(reply: Reply, commandId: string): Reply {
  reply.headers['x-command-id'] = commandId;
  return reply;
}

export const isProblem = (value: object): value is Problem => 'code' in value;

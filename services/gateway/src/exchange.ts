import type { Observer } from '@retrigger/ports/observer.ts';
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
 * Successes are measured and not logged.
 */
export async function respond(c: Context, route: string, told: Told, run: (requestId: string) => Promise<Reply>): Promise<Response> {
  const { clock, observer } = told;
  const startedAt = clock.now();
  const requestId = requestIdOf(c.req.header('x-request-id'), told.freshId);
  const reply = await run(requestId).catch((error: unknown) => {
    logFailure(observer, { route, requestId }, error);
    return problemReply({ code: 'unavailable', detail: AWAY }, c.req.path);
  });
  reply.headers['x-request-id'] = requestId;
  observer.measure('http_request_seconds', (clock.now() - startedAt) / 1000, { route, status: String(reply.status) });
  if (reply.refusal !== undefined) {
    observer.count('requests_refused_total', { code: reply.refusal });
    observer.log('info', 'request refused', { route, requestId, code: reply.refusal, status: reply.status });
  }
  return toResponse(reply);
}

const AWAY = 'Something that is needed does not answer; try again';
const MAY_BE_DONE =
  'Something that is needed does not answer, and it is not known whether this was done; try again, with the same idempotency key if it had one';

/** What a changing call answers: it names the command, also when what it needs throws (a broken machine or a bug). `id` may be filled in on the way. */
export async function answerOf(
  id: { commandId: string },
  { observer }: Pick<Told, 'observer'>,
  fields: { route: string; requestId: string },
  run: () => Promise<Reply>,
): Promise<Reply> {
  const reply = await run().catch((error: unknown) => {
    logFailure(observer, fields, error);
    return problemReply({ code: 'unavailable', detail: MAY_BE_DONE }, commandPath(id.commandId));
  });
  reply.headers['x-command-id'] = id.commandId;
  return reply;
}

const logFailure = (observer: Observer, fields: { route: string; requestId: string }, error: unknown): void =>
  observer.log('error', 'a request failed', { ...fields, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });

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

export const isProblem = (value: object): value is Problem => 'code' in value;

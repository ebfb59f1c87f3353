import type { Context } from 'hono';
import type { Caller } from './credentials.ts';
import { bearerToken } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
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
    observer.log('error', 'a request failed', {
      route,
      requestId,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return problemReply({ code: 'unavailable', detail: 'Something that is needed does not answer; try again' }, c.req.path);
  });
  reply.headers['x-request-id'] = requestId;
  observer.measure('http_request_seconds', (clock.now() - startedAt) / 1000, { route, status: String(reply.status) });
  if (reply.refusal !== undefined) {
    observer.count('requests_refused_total', { code: reply.refusal });
    observer.log('info', 'request refused', { route, requestId, code: reply.refusal, status: reply.status });
  }
  return toResponse(reply);
}

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

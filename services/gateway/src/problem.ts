import { type FieldError, isProblemCode, PROBLEM_TITLES, type ProblemCode, problemType } from '@retrigger/contract/problem-codes.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Refusal } from '@retrigger/domain/refusal.ts';
import type { Admission } from '@retrigger/engine/admit-command.ts';
import { jsonReply, type Reply } from './reply.ts';

/** Why a request gets no success; HTTP-free. `errors` name what is wrong with it, `more` is what the code adds. */
export type Problem = {
  code: ProblemCode;
  detail: string;
  errors?: FieldError[];
  more?: JsonObject;
  headers?: { [name: string]: string };
};

/** The one place with HTTP numbers of refusals. */
const STATUS: Record<ProblemCode, number> = {
  invalid_request: 400,
  circular_dependency: 400,
  unauthenticated: 401,
  forbidden: 403,
  task_not_found: 404,
  not_found: 404,
  method_not_allowed: 405,
  task_already_running: 409,
  invalid_state: 409,
  task_exists: 409,
  conditions_unmet: 409,
  transaction_aborted: 409,
  task_reserved: 409,
  stale_execution: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  rate_limited: 429,
  overloaded: 503,
  unavailable: 503,
};

export const statusOf = (code: ProblemCode): number => STATUS[code];

/** When to try again what was not possible now. */
const RETRY_AFTER_S = '1';

/** A problem's members (RFC 9457). What the code adds can't take the place of a standard member. */
export function problemBody({ code, detail, errors, more }: Problem, instance: string): JsonObject {
  return {
    ...more,
    ...(errors === undefined ? {} : { errors }),
    type: problemType(code),
    title: PROBLEM_TITLES[code],
    status: STATUS[code],
    detail,
    code,
    instance,
  };
}

/** `instance` names the command of a changing call, and the path of any other. */
export function problemReply(problem: Problem, instance: string): Reply {
  const status = STATUS[problem.code];
  const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
  const reply = jsonReply(status, problemBody(problem, instance), status === 503 ? { 'retry-after': RETRY_AFTER_S, ...headers } : headers);
  reply.refusal = problem.code;
  return reply;
}

export const invalid = (path: string, message: string): Problem => ({
  code: 'invalid_request',
  detail: path === '' ? message : `${path} ${message}`,
  errors: [{ path, message }],
});

/** @throws for a code that no contract knows. */
export function refusalProblem({ code, detail, more }: Refusal): Problem {
  if (!isProblemCode(code)) throw new Error(`the domain refused with the unknown code ${code}`);
  return more === undefined ? { code, detail } : { code, detail, more };
}

const NOT_TAKEN = 'The command was not taken; try again';
const NOT_SURE =
  'It is not known whether the command was taken, so it may still be carried out; try again with the same idempotency key, or ask for what `instance` names';

/** What the door's law refused. */
export function admissionProblem(admission: Exclude<Admission<Problem>, { kind: 'decided' | 'pending' }>): Problem {
  switch (admission.kind) {
    case 'invalid':
      return admission.problem;
    case 'overloaded':
      return { code: 'overloaded', detail: 'Too many commands are waiting to be decided, or the workers are late; try again shortly' };
    case 'unavailable':
      return { code: 'unavailable', detail: admission.isSure ? NOT_TAKEN : NOT_SURE };
    case 'limited':
      return limited(admission);
  }
}

/** Header fields as in draft-ietf-httpapi-ratelimit-headers-10. A bound on what waits has no window; it counts what is there at once. */
function limited({ limit, remaining, retryAfterMs }: Extract<Admission<Problem>, { kind: 'limited' }>): Problem {
  const { name, points, windowMs, cost = 0 } = limit;
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  const windowS = Math.round(windowMs / 1000);
  const again = `try again in ${seconds} s`;
  const left = remaining > 0 ? `has ${remaining} left, and this asks for more; ${again}` : `is used up; ${again}`;
  const why = cost > points ? `never lets ${cost} through at once; ask for fewer` : left;
  const [detail, quota] =
    windowMs === 0
      ? [`${points} commands of yours wait to be decided, which is the most; ${again}`, `q=${points};qu="concurrent-requests"`]
      : [`The limit "${name}" of ${points} per ${windowS} s ${why}`, `q=${points};w=${windowS}`];
  return {
    code: 'rate_limited',
    detail,
    headers: {
      'retry-after': String(seconds),
      ratelimit: `"${name}";r=${Math.max(0, remaining)};t=${seconds}`,
      'ratelimit-policy': `"${name}";${quota}`,
    },
  };
}

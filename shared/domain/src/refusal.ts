import type { JsonObject } from './json.ts';

/**
 * What a command may be refused for so that its outcome tells, with the title that people read: by the domain, and (the last three) by a door whose caller
 * can't be answered at once. HTTP numbers live in the gateway.
 */
export const REFUSAL_TITLES = {
  invalid_request: 'The request is not valid',
  forbidden: 'Not permitted',
  task_not_found: 'Task not found',
  task_exists: 'Task already exists',
  task_already_running: 'Task is already running',
  invalid_state: 'Not possible in this state',
  conditions_unmet: 'The conditions are not met',
  circular_dependency: 'Circular dependency detected',
  stale_execution: 'This execution is not the current one',
  idempotency_key_reused: 'Idempotency key reused with another request',
  not_found: 'Not found',
  payload_too_large: 'The request is too large',
  rate_limited: 'Too many requests',
} as const;

export type RefusalCode = keyof typeof REFUSAL_TITLES;

/** An expected "no". `more` is what the code adds to the problem, e.g. the fields that differ. */
export type Refusal = { code: RefusalCode; detail: string; more?: JsonObject };

/** What a caller is told. */
export type Outcome = { kind: 'accepted'; answer: JsonObject } | { kind: 'refused'; refusal: Refusal };

/** Refusals that bind nobody: a repeat of the command is decided anew. */
const NOT_KEPT: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'invalid_request',
  'forbidden',
  'idempotency_key_reused',
  'not_found',
  'payload_too_large',
  'rate_limited',
]);

/** Whether a repeat of the command gets this outcome again. */
export const isKept = (outcome: Outcome): boolean => outcome.kind === 'accepted' || !NOT_KEPT.has(outcome.refusal.code);

export const refused = (code: RefusalCode, detail: string, more?: JsonObject): { kind: 'refused'; refusal: Refusal } => ({
  kind: 'refused',
  refusal: more === undefined ? { code, detail } : { code, detail, more },
});

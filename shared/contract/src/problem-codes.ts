import { REFUSAL_TITLES } from '@retrigger/domain/refusal.ts';

/** What an API may answer instead of success, with the title that people read. What the domain refuses is among them. */
export const PROBLEM_TITLES = {
  ...REFUSAL_TITLES,
  invalid_request: 'The request is not valid',
  unauthenticated: 'Credentials are missing or not valid',
  method_not_allowed: 'This method is not possible here',
  transaction_aborted: 'Transaction aborted',
  task_reserved: 'Task is reserved by a bulk operation',
  unsupported_media_type: 'This media type is not understood',
  overloaded: 'Too much work at the moment',
  unavailable: 'Not available at the moment',
} as const;

export type ProblemCode = keyof typeof PROBLEM_TITLES;

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEM_TITLES, code);

/** The `type` of a problem (RFC 9457): a stable name, not an address. */
export const problemType = (code: ProblemCode): string => `urn:retrigger:problem:${code.replaceAll('_', '-')}`;

/** One thing that is wrong with a request. `path` names the field (`context.a[0]`, empty for the whole body), the query parameter or the header. */
export type FieldError = { path: string; message: string };

import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import type { Problem } from './problem.ts';

export type Query<N extends string> = { kind: 'query'; values: { [name in N]?: string } } | { kind: 'problem'; problem: Problem };

const NONE: { [name: string]: string } = {};

/** The query parameters of a request; an unknown one, or one that is given twice, refuses it. */
export function readQuery<N extends string>(url: string, allowed: readonly N[]): Query<N> {
  const start = url.indexOf('?');
  if (start === -1) return { kind: 'query', values: NONE as { [name in N]?: string } };
  const values: { [name: string]: string } = {};
  const errors: FieldError[] = [];
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (!(allowed as readonly string[]).includes(name)) errors.push({ path: name, message: 'is not a known query parameter' });
    else if (Object.hasOwn(values, name)) errors.push({ path: name, message: 'is given more than once' });
    else values[name] = value;
  }
  return errors.length === 0
    ? { kind: 'query', values: values as { [name in N]?: string } }
    : { kind: 'problem', problem: invalidFields(errors) };
}

/** A 400 that names everything that is wrong. */
export const invalidFields = (errors: FieldError[]): Problem => ({
  code: 'invalid_request',
  detail: errors
    .map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
    .join('; ')
    .slice(0, 1_000),
  errors,
});

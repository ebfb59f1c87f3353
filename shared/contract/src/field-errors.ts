import type { z } from 'zod';
import { isJsonObject } from './fields.ts';
import type { FieldError } from './problem-codes.ts';

/** What is wrong with a value, field by field, in the words of API problems. `tooLarge`: nothing but the size of a field is wrong. */
export type Checked<T> = { kind: 'valid'; value: T } | { kind: 'invalid'; errors: FieldError[]; tooLarge: boolean };

const MAX_ERRORS = 50;

/** Checks a value against a schema. */
export function check<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'valid', value: parsed.data };
  const { issues } = parsed.error;
  return {
    kind: 'invalid',
    errors: issues.flatMap(toErrors).slice(0, MAX_ERRORS),
    tooLarge: issues.every((issue) => issue.code === 'custom' && issue.params?.tooLarge === true),
  };
}

function toErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = fieldPath(issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: fieldPath([...issue.path, key]), message: `is not a known field${known(issue.message)}` }));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }));
  if (issue.code === 'invalid_type' && issue.path.length === 0 && !isJsonObject(issue.input))
    return [{ path, message: `the body must be an ${issue.expected}` }];
  return [{ path, message: inOurWords(issue) }];
}

const KINDS: { [expected: string]: string } = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** What would be right, where the schema itself does not say it. */
function inOurWords(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  if (code === 'invalid_type' && message.startsWith('Invalid input: ')) {
    const kind = KINDS[issue.expected] ?? issue.expected;
    return message.endsWith('received undefined') ? `is needed: ${kind}` : `must be ${kind}`;
  }
  if (code === 'too_big' && message.startsWith('Too big: '))
    return `must ${has(issue.origin)} at most ${issue.maximum}${unit(issue.origin)}`;
  if (code === 'too_small' && message.startsWith('Too small: '))
    return `must ${has(issue.origin)} at least ${issue.minimum}${unit(issue.origin)}`;
  if (code === 'invalid_value' && message.startsWith('Invalid option: ')) return `must be one of ${issue.values.join(', ')}`;
  return message;
}

const UNITS: { [origin: string]: string } = { string: ' characters', array: ' items' };
const unit = (origin: string): string => UNITS[origin] ?? '';
const has = (origin: string): string => (origin in UNITS ? 'have' : 'be');

/** `; a schedule of delayed takes …`, where the schema says so. */
const known = (message: string): string => (message.startsWith('unknown field ') ? message.slice(message.lastIndexOf('; ')) : '');

/** `dependencies[2]`, `target.url`; empty for the whole body. */
function fieldPath(path: PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.startsWith('.') ? text.slice(1) : text;
}

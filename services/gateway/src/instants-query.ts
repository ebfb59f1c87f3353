import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { parseInstant } from '@retrigger/domain/instant.ts';
import type { Problem } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';

export type Instants<N extends string> = { [name in N]?: number };

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = 'must be an instant such as 2026-01-31T12:00:00.000Z';
export const INSTANT_OR_DATE = `${INSTANT}, or a date such as 2026-01-31`;

/** Epoch milliseconds of an instant, or of a date: so many milliseconds after it began. Undefined when it is neither. */
export function instantOrDate(text: string, withinDay: number): number | undefined {
  const isDate = DATE.test(text);
  const at = parseInstant(isDate ? `${text}T00:00:00.000Z` : text);
  return isDate && at !== undefined ? at + withinDay : at;
}

/**
 * Query parameters that are instants, in epoch milliseconds; those that are not given are absent. Those of `ofDate` may be dates, which stand for so many
 * milliseconds after they began.
 */
export function readInstants<N extends string>(url: string, names: readonly N[], ofDate: Instants<N> = {}): Instants<N> | Problem {
  const query = readQuery(url, names);
  if (query.kind === 'problem') return query.problem;
  const instants: Instants<N> = {};
  const errors: FieldError[] = [];
  for (const name of names) {
    const text = query.values[name];
    const withinDay = ofDate[name];
    const at = text === undefined ? undefined : withinDay === undefined ? parseInstant(text) : instantOrDate(text, withinDay);
    if (at !== undefined) instants[name] = at;
    else if (text !== undefined) errors.push({ path: name, message: withinDay === undefined ? INSTANT : INSTANT_OR_DATE });
  }
  return errors.length > 0 ? invalidFields(errors) : instants;
}

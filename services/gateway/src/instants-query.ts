import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import { parseInstant } from '@retrigger/domain/instant.ts';
import type { Problem } from './problem.ts';
import { invalidFields, readQuery } from './query.ts';

export type Instants<N extends string> = { [name in N]?: number };

/** Query parameters that are instants, in epoch milliseconds; those that are not given are absent. */
export function readInstants<N extends string>(url: string, names: readonly N[]): Instants<N> | Problem {
  const query = readQuery(url, names);
  if (query.kind === 'problem') return query.problem;
  const instants: Instants<N> = {};
  const errors: FieldError[] = [];
  for (const name of names) {
    const text = query.values[name];
    const at = text === undefined ? undefined : parseInstant(text);
    if (at !== undefined) instants[name] = at;
    else if (text !== undefined) errors.push({ path: name, message: 'must be an instant such as 2026-01-31T12:00:00.000Z' });
  }
  return errors.length > 0 ? invalidFields(errors) : instants;
}

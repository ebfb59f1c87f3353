import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import type { FieldError } from './problem-codes.ts';

/** Of text that is known to be JSON. Strings are taken whole, escapes in them too; what is between tokens is skipped. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],:]|[a-z]+/g;
const INTEGER = /^-?\d+$/;

export type ExactJson = { kind: 'value'; value: Json } | { kind: 'lost'; error: FieldError };

/** An array or object that is being read; `name`: of the member whose value is next, null between two. */
type Open = { list: Json[] } | { members: JsonObject; name: string | null };

/**
 * Reads JSON slowly, and says what a parser would change without a word: the second of two members with one name, or an integer that is no double.
 * `text` must be JSON, and not too deep. The path begins with a separator.
 * It does not rest on the engine for names with escapes: V8's JSON.parse takes some of them for others that it has seen before (nodejs/node#63785), whoever sent those.
 */
export function readExactly(text: string): ExactJson {
  const open: Open[] = [];
  let value: Json = null;
  const lost = (message: string): ExactJson => ({ kind: 'lost', error: { path: pathOf(open), message } });
  for (const [token] of text.matchAll(TOKEN)) {
    const inside = open.at(-1);
    if (token === ':' || token === ',') continue;
    if (token === '{' || token === '[') {
      open.push(token === '[' ? { list: [] } : { members: {}, name: null });
      continue;
    }
    if (inside !== undefined && 'members' in inside && inside.name === null && token !== '}') {
      inside.name = JSON.parse(token) as string;
      if (inside.name === '__proto__') return lost('is not allowed as a name');
      if (Object.hasOwn(inside.members, inside.name)) return lost('is given more than once');
      continue;
    }
    if (token === '}' || token === ']') {
      open.pop();
      value = inside === undefined ? null : 'list' in inside ? inside.list : inside.members;
    } else value = JSON.parse(token) as Json;
    if (INTEGER.test(token) && digitsOf(Number(token)) !== token.replace(/^-0$/, '0'))
      return lost('is an integer with more digits than a double keeps; send it as a string');
    const around = open.at(-1);
    if (around === undefined) continue;
    if ('list' in around) around.list.push(value);
    else {
      around.members[around.name ?? ''] = value;
      around.name = null;
    }
  }
  return { kind: 'value', value };
}

const pathOf = (open: Open[]): string =>
  open.map((one) => ('list' in one ? `[${one.list.length}]` : one.name === null ? '' : `.${one.name}`)).join('');

/** An integer as it is written again, in full: from 1e21 on JavaScript writes an exponent, and digits that are not the double's own. */
function digitsOf(value: number): string {
  const [, sign = '', first = '', rest = '', exponent = '0'] = /^(-?)(\d)(?:\.(\d+))?e\+(\d+)$/.exec(String(value)) ?? [];
  return first === '' ? String(value) : `${sign}${first}${rest.padEnd(Number(exponent), '0')}`;
}

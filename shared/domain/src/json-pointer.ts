import { canonicalJson } from './canonical-json.ts';
import type { Json } from './json.ts';

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9]\d{0,15})$/;

/** RFC 6901: empty (the whole document) or parts that each begin with `/`, where `~` stands only in `~0` and `~1`. */
export const isPointer = (text: string): boolean => POINTER.test(text);

/** What a JSON Pointer (RFC 6901) points at; undefined when there is nothing. `-` points past the end of an array, so at nothing. */
export function valueAt(document: Json, pointer: string): Json | undefined {
  let value: Json | undefined = document;
  for (const part of pointer.split('/').slice(1)) {
    // The order matters: ~01 is ~1, not /.
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = INDEX.test(name) ? value[Number(name)] : undefined;
    else if (typeof value === 'object' && value !== null) value = Object.hasOwn(value, name) ? value[name] : undefined;
    else return undefined;
  }
  return value;
}

/** The document with another value at a pointer (without escapes) that leads through objects only; what lies beside the way is shared. */
export function withValueAt(document: Json, pointer: string, value: Json): Json {
  const [, name = '', ...rest] = pointer.split('/');
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw new Error(`nothing can be put at ${pointer}`);
  const child = rest.length === 0 ? value : withValueAt(document[name] ?? null, `/${rest.join('/')}`, value);
  return { ...document, [name]: child };
}

/** Equal as JSON: the order of an object's members doesn't count, `1` and `1.0` are one number, `"1"` is another value. */
export const isSameJson = (a: Json, b: Json): boolean => canonicalJson(a) === canonicalJson(b);

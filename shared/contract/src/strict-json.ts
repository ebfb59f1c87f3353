import { isUtf8 } from 'node:buffer';
import type { Json } from '@retrigger/domain/json.ts';
import type { FieldError } from './problem-codes.ts';

export const MAX_BODY_BYTES = 1_048_576;
export const MAX_DEPTH = 32;

const BODY_BOUNDS = { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_DEPTH };

export type StrictJson = { kind: 'value'; value: Json } | { kind: 'too_large'; bytes: number } | { kind: 'invalid'; error: FieldError };

/**
 * Reads JSON from somebody we don't trust.
 * J1: what passes can be written again as canonical JSON (RFC 8785): no number beyond a double's range, no unpaired surrogate.
 * J2: no key `__proto__` anywhere, at most 32 levels of arrays and objects, at most 1 MiB, valid UTF-8 without a byte order mark. Both bounds are of a body;
 * what has one inside gives its own.
 */
export function parseStrictJson(bytes: Uint8Array, { maxBytes, maxDepth } = BODY_BOUNDS): StrictJson {
  if (bytes.byteLength > maxBytes) return { kind: 'too_large', bytes: bytes.byteLength };
  if (!isUtf8(bytes)) return invalid('', 'not valid UTF-8');
  let value: Json;
  try {
    value = JSON.parse(asBuffer(bytes).toString('utf8'));
  } catch (error) {
    return invalid('', `malformed JSON${placeOf(error)}`);
  }
  const error = flaw(value, maxDepth);
  return error === undefined ? { kind: 'value', value } : { kind: 'invalid', error: { path: error.path.slice(1), message: error.message } };
}

/** Where parsing ended, when the engine says so; its message quotes the text, which no error or log repeats. */
export function placeOf(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : ` at position ${position}`;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const invalid = (path: string, message: string): StrictJson => ({ kind: 'invalid', error: { path, message } });

/** The first flaw of a parsed value; `depth`: so many levels may follow. Paths are built on the way back, so that a good value costs no text; they begin with a separator. */
function flaw(value: Json | undefined, depth: number): FieldError | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : { path: '', message: 'has an unpaired surrogate' };
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path: '', message: 'is a number out of range' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === 0) return { path: '', message: `nests deeper than ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = flaw(value[i], depth - 1);
      if (found !== undefined) return { path: `[${i}]${found.path}`, message: found.message };
    }
    return undefined;
  }
  for (const key in value) {
    if (key === '__proto__') return { path: '.__proto__', message: 'is not allowed as a name' };
    if (!key.isWellFormed()) return { path: '', message: 'has a name with an unpaired surrogate' };
    const found = flaw(value[key], depth - 1);
    if (found !== undefined) return { path: `.${key}${found.path}`, message: found.message };
  }
  return undefined;
}

import { isUtf8 } from 'node:buffer';
import type { Json } from '@retrigger/domain/json.ts';
import { readExactly } from './exact-json.ts';
import type { FieldError } from './problem-codes.ts';

export const MAX_BODY_BYTES = 1_048_576;
export const MAX_DEPTH = 32;

export type JsonBounds = { maxBytes: number; maxDepth: number; mayLose?: true };
const BODY_BOUNDS: JsonBounds = { maxBytes: MAX_BODY_BYTES, maxDepth: MAX_DEPTH };
/** Nothing grows more when it is written again: `1e20,` has 5 bytes, and 22 then. */
const MOST_GROWTH = 5;

export type StrictJson = { kind: 'value'; value: Json } | { kind: 'too_large'; bytes: number } | { kind: 'invalid'; error: FieldError };

/**
 * Reads JSON from somebody we don't trust.
 * J1: what passes can be written again as canonical JSON (RFC 8785): no number beyond a double's range, no unpaired surrogate.
 * J2: no key `__proto__` anywhere, at most 32 levels of arrays and objects, at most 1 MiB, valid UTF-8 without a byte order mark. Both bounds are of a body;
 * what has one inside gives its own.
 * J3: what passes is kept as it was sent: no name twice in one object, no integer that would lose digits, no name that is taken for another. Where that may be, and
 * only there, the text is read token by token. `mayLose`: it is taken as parsing leaves it.
 * J4: what passes is within its bound when it is written again, too, with its numbers in full: what is made of it fits into a record.
 */
export function parseStrictJson(bytes: Uint8Array, { maxBytes, maxDepth, mayLose }: JsonBounds = BODY_BOUNDS): StrictJson {
  if (bytes.byteLength > maxBytes) return { kind: 'too_large', bytes: bytes.byteLength };
  if (!isUtf8(bytes)) return invalid('', 'not valid UTF-8');
  const text = asBuffer(bytes).toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return invalid('', `malformed JSON${placeOf(error)}`);
  }
  const seen: Seen = { names: 0, hasLongInteger: false };
  const error = flaw(value, maxDepth, seen);
  if (error !== undefined) return refused(error);
  const written = bytes.byteLength * MOST_GROWTH > maxBytes ? Buffer.byteLength(JSON.stringify(value)) : 0;
  if (written > maxBytes) return { kind: 'too_large', bytes: written }; // J4
  return !mayLose && (seen.hasLongInteger || isSuspect(text, seen.names)) ? exactly(text, maxDepth) : { kind: 'value', value }; // J3
}

function exactly(text: string, maxDepth: number): StrictJson {
  const exact = readExactly(text);
  if (exact.kind === 'lost') return refused(exact.error);
  const error = flaw(exact.value, maxDepth, { names: 0, hasLongInteger: false });
  return error === undefined ? exact : refused(error);
}

const refused = ({ path, message }: FieldError): StrictJson => invalid(path.replace(/^\./, ''), message);

/** Where parsing ended, when the engine says so; its message quotes the text, which no error or log repeats. */
export function placeOf(error: unknown): string {
  const position = /at position (\d+)/.exec(String(error))?.[1];
  return position === undefined ? '' : ` at position ${position}`;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const invalid = (path: string, message: string): StrictJson => ({ kind: 'invalid', error: { path, message } });

/** What was met on the way: so many names, and an integer that another one may have been written as. */
type Seen = { names: number; hasLongInteger: boolean };

const [QUOTE, SPACE, BACKSLASH] = [0x22, 0x20, 0x5c];

/**
 * Whether a JSON text may have more names than were met when it was parsed, or one with an escape. Names are ends of strings before a colon; what looks like one
 * inside a string makes it suspect too.
 */
function isSuspect(text: string, met: number): boolean {
  const hasEscapes = text.includes('\\');
  let names = 0;
  for (let colon = text.indexOf(':'); colon !== -1; colon = text.indexOf(':', colon + 1)) {
    let end = colon - 1;
    while (text.charCodeAt(end) <= SPACE) end--;
    if (text.charCodeAt(end) !== QUOTE) continue;
    if (++names > met || (hasEscapes && isEscaped(text, text.lastIndexOf('"', end - 1), end))) return true;
  }
  return false;
}

const isEscaped = (text: string, start: number, end: number): boolean =>
  text.charCodeAt(start - 1) === BACKSLASH || text.slice(start, end).includes('\\');

/** The first flaw of a parsed value; `depth`: so many levels may follow. Paths are built on the way back, so that a good value costs no text; they begin with a separator. */
function flaw(value: Json | undefined, depth: number, seen: Seen): FieldError | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : { path: '', message: 'has an unpaired surrogate' };
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) seen.hasLongInteger = true;
    return Number.isFinite(value) ? undefined : { path: '', message: 'is a number out of range' };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === 0) return { path: '', message: `nests deeper than ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = flaw(value[i], depth - 1, seen);
      if (found !== undefined) return { path: `[${i}]${found.path}`, message: found.message };
    }
    return undefined;
  }
  for (const key in value) {
    if (key === '__proto__') return { path: '.__proto__', message: 'is not allowed as a name' };
    seen.names++;
    if (!key.isWellFormed()) return { path: '', message: 'has a name with an unpaired surrogate' };
    const found = flaw(value[key], depth - 1, seen);
    if (found !== undefined) return { path: `.${key}${found.path}`, message: found.message };
  }
  return undefined;
}

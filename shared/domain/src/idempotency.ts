import { createHmac, hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { JsonObject } from './json.ts';

/** A short digest of each top-level field of a request (query parameters as `?name`), so that a difference can be named without keeping the values. */
export type Fingerprint = { [field: string]: string };

export function fingerprint(body: JsonObject, query: { [name: string]: string } = {}): Fingerprint {
  const fields: [string, string][] = [];
  for (const [name, value] of Object.entries(body)) if (value !== undefined) fields.push([name, digest(canonicalJson(value))]);
  for (const [name, value] of Object.entries(query)) fields.push([`?${name}`, digest(value)]);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same with digests that nobody can guess without the key. */
export const keyedFingerprint = (plain: Fingerprint, key: Buffer): Fingerprint =>
  Object.fromEntries(
    Object.entries(plain).map(([field, given]) => [field, createHmac('sha256', key).update(given).digest('base64url').slice(0, 16)]),
  );

const digest = (text: string): string => hash('sha256', text, 'base64url').slice(0, 16);

/** The names of the fields in which two requests differ, sorted; empty when they are the same request. */
export function differingFields(first: Fingerprint, second: Fingerprint): string[] {
  const names = new Set([...Object.keys(first), ...Object.keys(second)]);
  return [...names].filter((name) => first[name] !== second[name]).sort();
}

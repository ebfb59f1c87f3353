import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '@retrigger/ports/secrets.ts';

const MAC_BYTES = 16;
const CURSOR = /^(\d{1,16})\.([A-Za-z0-9_-]{22})$/;

/**
 * Where a page ended: the last sequence on it, signed.
 * Q1: a cursor is good for the tenant and the query that it was made for, and nothing else; `query` is the query's canonical text.
 */
export const makeCursor = (secrets: Secrets, tenantId: string, query: string, after: number): string =>
  Buffer.from(`${after}.${mac(secrets, tenantId, query, after).toString('base64url')}`).toString('base64url');

/** The sequence after which the next page begins; undefined when the cursor is malformed, altered, or was made for something else. */
export function readCursor(secrets: Secrets, tenantId: string, query: string, cursor: string): number | undefined {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(cursor)) return undefined;
  const [, digits, signature] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (digits === undefined || signature === undefined) return undefined;
  const after = Number(digits);
  const given = Buffer.from(signature, 'base64url');
  const expected = mac(secrets, tenantId, query, after);
  return given.length === expected.length && timingSafeEqual(given, expected) && String(after) === digits ? after : undefined;
}

const mac = (secrets: Secrets, tenantId: string, query: string, after: number): Buffer =>
  createHmac('sha256', secrets.derive('cursor', tenantId, 'pages', 1))
    .update(`${query}\n${after}`)
    .digest()
    .subarray(0, MAC_BYTES);

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secrets } from '@retrigger/ports/secrets.ts';

const MAC_BYTES = 16;
const CURSOR = /^([\x21-\x7e]{1,300})\.[A-Za-z0-9_-]{22}$/;

/** What a caller is told of a cursor that was not made for the query. */
export const NOT_ITS_CURSOR = 'is not one that this query was given';

/**
 * Where a page ended, signed: the last event's sequence, the last task's place.
 * Q1: a cursor is good for the tenant and the query that it was made for, and nothing else; `query` is the query's canonical text.
 */
export const makeCursor = (secrets: Secrets, tenantId: string, query: string, place: string): string =>
  Buffer.from(`${place}.${mac(secrets, tenantId, query, place).toString('base64url')}`).toString('base64url');

/** The place after which the next page begins; undefined when the cursor is malformed, altered in any character, or was made for something else. */
export function readCursor(secrets: Secrets, tenantId: string, query: string, cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]{1,450}$/.test(cursor)) return undefined;
  const [, place] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (place === undefined) return undefined;
  const expected = Buffer.from(makeCursor(secrets, tenantId, query, place));
  return expected.length === cursor.length && timingSafeEqual(Buffer.from(cursor), expected) ? place : undefined;
}

const mac = (secrets: Secrets, tenantId: string, query: string, place: string): Buffer =>
  createHmac('sha256', secrets.derive('cursor', tenantId, 'pages', 1))
    .update(`${query}\n${place}`)
    .digest()
    .subarray(0, MAC_BYTES);

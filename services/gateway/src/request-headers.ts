import type { IncomingMessage } from 'node:http';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import type { Context } from 'hono';
import { invalid, type Problem } from './problem.ts';

const DEFAULT_WAIT_MS = 2_000;
const MAX_WAIT_S = 60;
const KEY = /^[\x20-\x7e]{1,255}$/;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export type GivenKey = { kind: 'key'; key: string | null } | { kind: 'problem'; problem: Problem };

/** The idempotency key of either header; null when there is none. A key that can't be honoured refuses the request. */
export function idempotencyKey(c: Context): GivenKey {
  const [standard, legacy] = [c.req.header('idempotency-key'), c.req.header('x-idempotency-key')];
  if (isRepeated(c, 'idempotency-key', standard) || isRepeated(c, 'x-idempotency-key', legacy))
    return { kind: 'problem', problem: invalid('Idempotency-Key', 'is given more than once') };
  if (standard !== undefined && legacy !== undefined && standard !== legacy)
    return { kind: 'problem', problem: invalid('Idempotency-Key', 'differs from X-Idempotency-Key') };
  const key = standard ?? legacy ?? null;
  return key === null || KEY.test(key)
    ? { kind: 'key', key }
    : { kind: 'problem', problem: invalid('Idempotency-Key', 'must be 1 to 255 printable ASCII characters') };
}

/** Several lines of a header become one text, joined by `, `: a key that nobody has meant. */
function isRepeated(c: Context, name: string, value: string | undefined): boolean {
  if (value === undefined || !value.includes(',')) return false;
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  return (incoming?.headersDistinct[name]?.length ?? 1) > 1;
}

/**
 * How long `Prefer` (RFC 7240) lets a call wait, in milliseconds. `respond-async` alone is not at all, `wait=N` up to 60 s, and both together wait N.
 * What is not understood is ignored, as the RFC has it.
 */
export function waitOf(prefer: string | undefined): number {
  if (prefer === undefined) return DEFAULT_WAIT_MS;
  let wait: number | undefined;
  let isAsync = false;
  for (const preference of prefer.split(',')) {
    const [name = '', value = ''] = (preference.split(';')[0] ?? '').split('=');
    const word = name.trim().toLowerCase();
    const number = value.trim().replace(/^"(.*)"$/, '$1');
    if (word === 'respond-async') isAsync = true;
    if (word === 'wait' && wait === undefined && /^\d{1,9}$/.test(number)) wait = Math.min(Number(number), MAX_WAIT_S) * 1000;
  }
  return wait ?? (isAsync ? 0 : DEFAULT_WAIT_MS);
}

/** The caller's own id for the request when it is usable. */
export const requestIdOf = (given: string | undefined, freshId: () => string): string =>
  given !== undefined && ID_PATTERN.test(given) ? given : freshId();

/** A W3C trace context that can be continued. */
export const traceparentOf = (given: string | undefined): string | undefined =>
  given !== undefined && TRACEPARENT.test(given) ? given : undefined;

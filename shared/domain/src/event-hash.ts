import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Event } from './event.ts';
import { type OpenEvent, sealedForm } from './privacy/sealed-form.ts';

export { canonicalJson };

/**
 * The chain: SHA-256, in lower-case hex, over the UTF-8 of the previous event's hash followed by the canonical JSON (RFC 8785)
 * of the event without its own `hash`. Returns the event's hash and its JSON text as stored, `hash` last.
 */
export function sealEvent<E extends Event>(event: Omit<E, 'hash'>): { event: E; json: string } {
  const body = canonicalJson(event);
  const digest = hash('sha256', event.previousHash + body);
  return { event: { ...event, hash: digest } as E, json: `${body.slice(0, -1)},"hash":"${digest}"}` };
}

/** The hash that an event must have, computed from the event itself, as it is stored or as it is shown. */
export function expectedHash(event: OpenEvent): string {
  const { hash: _, ...body } = sealedForm(event) ?? event; // what is shown but was not sealed is hashed as it is, which no hash matches
  return hash('sha256', event.previousHash + canonicalJson(body));
}

/**
 * The first place where a stream's chain breaks, or undefined. `events` are in sequence order, as stored or as they are shown; `previousHash` is what the first
 * must carry.
 */
export function firstBreak(
  events: Iterable<OpenEvent>,
  sequence: number,
  previousHash: string,
): { sequence: number; reason: string } | undefined {
  let [next, previous] = [sequence, previousHash];
  for (const event of events) {
    if (event.sequence !== next) return { sequence: next, reason: `expected sequence ${next}, found ${event.sequence}` };
    if (event.previousHash !== previous) return { sequence: next, reason: 'previousHash is not the hash of the event before' };
    if (sealedForm(event) === undefined) return { sequence: next, reason: 'what is shown is not what was sealed' };
    const expected = hashIfAny(event);
    if (expected === undefined) return { sequence: next, reason: 'the content has no canonical form' };
    if (event.hash !== expected) return { sequence: next, reason: 'hash does not match the content' };
    [next, previous] = [next + 1, event.hash];
  }
  return undefined;
}

/** What was tampered with may be such that nobody could have hashed it, e.g. half a surrogate pair. */
function hashIfAny(event: OpenEvent): string | undefined {
  try {
    return expectedHash(event);
  } catch {
    return undefined;
  }
}

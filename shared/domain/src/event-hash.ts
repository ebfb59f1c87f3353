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
    const reason = linkFault(event, next, previous) ?? hashFault(event);
    if (reason !== undefined) return { sequence: next, reason };
    [next, previous] = [next + 1, event.hash];
  }
  return undefined;
}

/** Why an event is not the link that must come next, if it isn't. */
export function linkFault(event: OpenEvent, sequence: number, previousHash: string): string | undefined {
  if (event.sequence !== sequence) return `expected sequence ${sequence}, found ${event.sequence}`;
  return event.previousHash === previousHash ? undefined : 'previousHash is not the hash of the event before';
}

/** Why an event, as stored or as shown, is not as it was written, whatever stands around it. */
export function hashFault(event: OpenEvent): string | undefined {
  if (sealedForm(event) === undefined) return 'what is shown is not what was sealed';
  const expected = hashIfAny(event);
  if (expected === undefined) return 'the content has no canonical form';
  return event.hash === expected ? undefined : 'hash does not match the content';
}

/** An event out of its stored text, which may have become anything. `unreadable`: nobody could have written this. */
export function readEventText(text: string): { kind: 'event'; event: OpenEvent } | { kind: 'unreadable'; reason: string } {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', reason: 'it is not JSON' };
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return { kind: 'unreadable', reason: 'it is no object' };
  return { kind: 'event', event: event as OpenEvent };
}

/** Why an event whose hash is right does not stand in the very bytes that were written, if it doesn't: other bytes can say the same. */
export function textFault(event: OpenEvent, text: string): string | undefined {
  const { hash: digest, sealed, ...body } = event;
  const shown = sealed === undefined ? '' : `,"sealed":${JSON.stringify(sealed)}`;
  const written = `${canonicalJson(body).slice(0, -1)},"hash":"${digest}"${shown}}`;
  return written === text || JSON.stringify(event) === text ? undefined : 'its bytes are not those that were written';
}

/** What was tampered with may be such that nobody could have hashed it, e.g. half a surrogate pair. */
function hashIfAny(event: OpenEvent): string | undefined {
  try {
    return expectedHash(event);
  } catch {
    return undefined;
  }
}

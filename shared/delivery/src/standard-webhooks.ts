import { createHmac, timingSafeEqual } from 'node:crypto';

/** Signing of messages as Standard Webhooks defines it (standardwebhooks.com): symmetric, scheme v1. */
export type WebhookHeaders = { 'webhook-id': string; 'webhook-timestamp': string; 'webhook-signature': string };

const PREFIX = 'whsec_';
const TOLERANCE_SECONDS = 300;

/** A secret as its receiver is shown it. */
export const secretText = (secret: Buffer): string => PREFIX + secret.toString('base64');

/** The secret in its text; undefined when the text is none. */
export function secretOf(text: string): Buffer | undefined {
  const secret = Buffer.from(text.slice(PREFIX.length), 'base64');
  return text.startsWith(PREFIX) && secret.length > 0 ? secret : undefined;
}

/** The headers of a message. `id` stays the same when it is sent again; `at` is the time of this try, epoch ms. */
export function sign(secret: Buffer, id: string, at: number, body: string): WebhookHeaders {
  const timestamp = String(Math.floor(at / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${digest(secret, id, timestamp, body).toString('base64')}`,
  };
}

const digest = (secret: Buffer, id: string, timestamp: string, body: string): Buffer =>
  createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest();

/**
 * What a receiver does: the message is ours, and its try no more than 5 minutes from `now` (epoch ms). The header may hold several
 * signatures, separated by spaces; one that fits is enough. @returns the reason when it is not valid.
 */
export function verify(
  secret: Buffer,
  headers: { readonly [name: string]: string | string[] | undefined },
  body: string,
  now: number,
): { kind: 'valid' } | { kind: 'invalid'; reason: string } {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return invalid('a header is missing or repeated');
  if (!/^\d{1,12}$/.test(timestamp)) return invalid('webhook-timestamp is no number of seconds');
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return invalid('webhook-timestamp is too far from now');
  const expected = digest(secret, id, timestamp, body);
  const fits = signatures.split(' ').some((signature) => {
    const given = signature.startsWith('v1,') ? Buffer.from(signature.slice(3), 'base64') : Buffer.alloc(0);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return fits ? { kind: 'valid' } : invalid('no signature fits');
}

const invalid = (reason: string): { kind: 'invalid'; reason: string } => ({ kind: 'invalid', reason });

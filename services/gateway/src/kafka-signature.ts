import { createHmac, timingSafeEqual } from 'node:crypto';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { parseInstant } from '@retrigger/domain/instant.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import type { Caller, Credentials } from './credentials.ts';

export const SIGNATURE_HEADERS = {
  keyId: 'retrigger-key-id',
  timestamp: 'retrigger-timestamp',
  signature: 'retrigger-signature',
} as const;

const MOST_AGE_MS = 3_600_000;
const HEX_256 = /^[0-9a-f]{64}$/i;
/** One reason for both, so that the dead letters tell nobody which keys there are. */
const NOT_PROVEN = 'the signature is not that of a key that is good now';

export type Proven = { kind: 'proven'; caller: Caller } | { kind: 'unproven'; reason: string };

/** The signature of a record: HMAC-SHA256 over what the record says of itself, line by line, and its value. */
export function signatureOf(
  secret: string,
  {
    keyId,
    timestamp,
    topic,
    key,
    contentType,
    value,
  }: { [part in 'keyId' | 'timestamp' | 'topic' | 'key' | 'contentType']: string } & {
    value: Uint8Array;
  },
): Buffer {
  const lines = [keyId, timestamp, topic, key, contentType, ''].join('\n');
  return createHmac('sha256', secret).update(lines).update(value).digest();
}

/**
 * Whose record this is. `topic`: its name in Kafka, as whoever signed it knows it.
 * Y1: a header that stands twice, or holds a line feed, proves nothing: another reader might see another value.
 * Y2: the timestamp is compared with the log's time of the record, so a backlog does not make commands too old, and the verdict is the same at every delivery.
 * One from the future is refused like one from the past: else a copy of the record could be published again after its commandId is forgotten.
 * Y3: signatures are compared in constant time.
 */
export async function whoSigned(record: LogRecord, topic: string, signer: Credentials['signer']): Promise<Proven> {
  const { headers, key, value, at } = record;
  const repeated = Object.keys(headers).find((name) => headers[name]?.includes('\n'));
  if (repeated !== undefined) return unproven(`the header ${JSON.stringify(repeated.slice(0, 100))} stands there more than once`); // Y1
  const { [SIGNATURE_HEADERS.keyId]: keyId, [SIGNATURE_HEADERS.timestamp]: timestamp, [SIGNATURE_HEADERS.signature]: given } = headers;
  if (keyId === undefined || timestamp === undefined || given === undefined)
    return unproven(`it needs the headers ${Object.values(SIGNATURE_HEADERS).join(', ')}`);
  const signedAt = parseInstant(timestamp);
  if (signedAt === undefined) return unproven(`${SIGNATURE_HEADERS.timestamp} is no instant such as 2026-01-31T12:00:00Z`);
  if (Math.abs(at - signedAt) > MOST_AGE_MS) return unproven(`${SIGNATURE_HEADERS.timestamp} is over an hour from the log’s time`); // Y2
  if (!HEX_256.test(given)) return unproven(`${SIGNATURE_HEADERS.signature} is not 64 hexadecimal digits`);
  const found = ID_PATTERN.test(keyId) ? await signer(keyId) : undefined;
  if (found === undefined) return unproven(NOT_PROVEN);
  const contentType = headers['content-type'] ?? '';
  const right = signatureOf(found.secret, { keyId, timestamp, topic, key, contentType, value });
  return timingSafeEqual(right, Buffer.from(given, 'hex')) ? { kind: 'proven', caller: found.caller } : unproven(NOT_PROVEN); // Y3
}

const unproven = (reason: string): Proven => ({ kind: 'unproven', reason });

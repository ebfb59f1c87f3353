import { type LogRecord, MOST_RECORD_BYTES, type NewRecord } from '@retrigger/ports/log.ts';

/** The headers that a dead letter adds to those of the original. */
export const DEAD_LETTER_HEADERS = ['reason', 'source-topic', 'source-partition', 'source-offset', 'at'] as const;

/** What a notification's dead letter says besides: which subscription was to be told which event, and how often that was tried. */
export type UndeliveredHeaders = { subscription: string; delivery: string; sequence: string; attempts: string };
export const UNDELIVERED_HEADERS = ['subscription', 'delivery', 'sequence', 'attempts'] as const satisfies (keyof UndeliveredHeaders)[];

/** Less what framing and our headers add. */
const MOST_BYTES = MOST_RECORD_BYTES - 16 * 1024;
const MOST_KEY_LENGTH = 1_024;

/**
 * A record that was given up: the original key and bytes, with why, from where and when (log time). The original headers stay beside them.
 * L1: a dead letter fits into its topic, or it would hold up everything behind it for ever. Of a record that is as large as records may be, only the beginning
 * is kept, and the reason says so; the whole one stands in its own topic for as long as that keeps it.
 */
export function deadLetter(record: LogRecord, reason: string): NewRecord {
  const { key, keyBytes, value } = record;
  const ours = {
    reason,
    'source-topic': record.topic,
    'source-partition': String(record.partition),
    'source-offset': String(record.offset),
    at: new Date(record.at).toISOString(),
  };
  const letter = { key, ...(keyBytes === undefined ? {} : { keyBytes }), value, headers: { ...record.headers, ...ours } };
  if (bytesOf(letter) <= MOST_BYTES) return letter;
  return {
    key: key.slice(0, MOST_KEY_LENGTH),
    value: value.subarray(0, MOST_BYTES - 8 * MOST_KEY_LENGTH),
    headers: { ...headersOfDelivery(record.headers), ...ours, reason: `${reason.slice(0, MOST_KEY_LENGTH)} (too large to be kept whole)` },
  };
}

const headersOfDelivery = (headers: NewRecord['headers']): NewRecord['headers'] =>
  Object.fromEntries(UNDELIVERED_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name].slice(0, 256)]])));

function bytesOf({ key, value, headers }: NewRecord): number {
  let bytes = Buffer.byteLength(key) + value.byteLength;
  for (const [name, text] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 10;
  return bytes;
}

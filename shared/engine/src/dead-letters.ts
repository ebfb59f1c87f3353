import type { LogRecord, NewRecord } from '@retrigger/ports/log.ts';

/** The headers that a dead letter adds to those of the original. */
export const DEAD_LETTER_HEADERS = ['reason', 'source-topic', 'source-partition', 'source-offset', 'at'] as const;

/** What a notification's dead letter says besides: which subscription was to be told which event, and how often that was tried. */
export type UndeliveredHeaders = { subscription: string; delivery: string; sequence: string; attempts: string };
export const UNDELIVERED_HEADERS = ['subscription', 'delivery', 'sequence', 'attempts'] as const satisfies (keyof UndeliveredHeaders)[];

/** A record that was given up: the original key and bytes, with why, from where and when (log time). The original headers stay beside them. */
export const deadLetter = (record: LogRecord, reason: string): NewRecord => ({
  key: record.key,
  value: record.value,
  headers: {
    ...record.headers,
    reason,
    'source-topic': record.topic,
    'source-partition': String(record.partition),
    'source-offset': String(record.offset),
    at: new Date(record.at).toISOString(),
  },
});

import type { LogRecord, NewRecord } from '@retrigger/ports/log.ts';

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

import { toLogRecord } from '@retrigger/kafka/log-record.ts';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';

const message = (headers: IHeaders): KafkaMessage =>
  ({ offset: '7', timestamp: '1000', key: Buffer.from('k'), value: null, headers, attributes: 0 }) as unknown as KafkaMessage;

test('a header that stands there twice reads as both values, so that nobody takes one of them for it', () => {
  const { headers } = toLogRecord(
    't',
    0,
    message({ twice: [Buffer.from('a'), Buffer.from('b')], once: Buffer.from('c'), none: undefined }),
  );
  expect(headers).toEqual({ twice: 'a\nb', once: 'c' });
});

test('a key that is no text is kept in bytes, too', () => {
  const key = Buffer.from([0, 0xff, 0x41]);
  expect(toLogRecord('t', 0, { ...message({}), key })).toMatchObject({ key: '\0\ufffdA', keyBytes: key });
});

test('a record without a value has no bytes', () => {
  expect(toLogRecord('t', 3, message({}))).toEqual({
    topic: 't',
    partition: 3,
    offset: 7,
    at: 1000,
    key: 'k',
    value: new Uint8Array(),
    headers: {},
  });
});

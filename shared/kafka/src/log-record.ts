import { isUtf8 } from 'node:buffer';
import type { LogRecord } from '@retrigger/ports/log.ts';
import type { IHeaders, KafkaMessage } from 'kafkajs';

/** A fetched message as the port shows it. The timestamp is the broker's: the topic's `message.timestamp.type` is LogAppendTime (kafka-topics T1). */
export const toLogRecord = (topic: string, partition: number, message: KafkaMessage): LogRecord => ({
  topic,
  partition,
  offset: Number(message.offset),
  at: Number(message.timestamp),
  key: message.key?.toString() ?? '',
  ...(message.key === null || isUtf8(message.key) ? {} : { keyBytes: message.key }),
  value: message.value ?? new Uint8Array(),
  headers: toText(message.headers),
});

/** A header that stands in a record more than once reads as its values joined by a line feed (see the port). */
function toText(headers: IHeaders | undefined): { [name: string]: string } {
  const texts: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) texts[name] = Array.isArray(value) ? value.map(String).join('\n') : String(value);
  }
  return texts;
}

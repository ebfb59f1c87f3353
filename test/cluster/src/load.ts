import { setTimeout as pause } from 'node:timers/promises';
import type { KafkaLog } from '@retrigger/kafka/kafka-log.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { onTestFinished } from 'vitest';
import { record, text } from './open-log.ts';

const KEYS = 40;
const BETWEEN_MS = 20;

/** Appends numbered records over 40 keys, one after another for each key, until stopped, or the test ends. An append that fails is appended again, with the same number. */
export function load(log: KafkaLog) {
  let running = true;
  onTestFinished(() => {
    running = false;
  });
  const acknowledged = new Set<string>();
  const done = Promise.all(
    Array.from({ length: KEYS }, async (_, key) => {
      for (let n = 0; running; n++) {
        const value = `${key}:${n}`;
        for (let isIn = false; running && !isIn; await pause(BETWEEN_MS)) {
          isIn = await append(log, key, value);
          if (isIn) acknowledged.add(value);
        }
      }
    }),
  );
  return {
    acknowledged,
    async stop() {
      running = false;
      await done;
    },
  };
}

const append = (log: KafkaLog, key: number, value: string): Promise<boolean> =>
  log.append('work', [record(`t/${key}`, value)]).then(
    () => true,
    () => false,
  );

/** Acknowledged records that nobody was given. */
export function lost(acknowledged: Set<string>, given: Iterable<string>): string[] {
  const seen = new Set(given);
  return [...acknowledged].filter((value) => !seen.has(value));
}

/** Where, counting each record's first sight only, a key's records are out of order. */
export function disordered(records: LogRecord[]): string[] {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  return records.flatMap((each) => {
    const value = text(each);
    if (seen.has(value)) return [];
    seen.add(value);
    const number = Number(value.split(':')[1]);
    const before = last.get(each.key) ?? -1;
    last.set(each.key, number);
    return number === before + 1 ? [] : [`${each.key}: ${number} after ${before}`];
  });
}

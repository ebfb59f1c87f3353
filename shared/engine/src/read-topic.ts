import type { Clock } from '@retrigger/ports/clock.ts';
import type { Log, LogRecord } from '@retrigger/ports/log.ts';

const LOOK_EVERY_MS = 200;

/** Reads a topic from its earliest record to where it ends when nobody writes any more, as a group of its own; `each` is told in the order of each partition. */
export async function readTopic(
  log: Pick<Log, 'consume' | 'lag'>,
  { topic, group }: { topic: string; group: string },
  each: (record: LogRecord) => Promise<void>,
  clock: Clock,
): Promise<void> {
  const reading: { failed?: unknown } = {};
  const consumer = await log.consume(topic, group, {
    async assigned() {},
    async revoked() {},
    async batch(_partition, records, commit) {
      try {
        for (const record of records) await each(record);
      } catch (error) {
        reading.failed ??= error;
        throw error;
      }
      await commit((records.at(-1)?.offset ?? -1) + 1);
    },
  });
  try {
    while (!('failed' in reading) && (await log.lag(topic, group)) > 0)
      await new Promise<void>((resolve) => clock.timer(clock.now() + LOOK_EVERY_MS, resolve));
  } finally {
    await consumer.stop();
  }
  if ('failed' in reading) throw reading.failed;
}

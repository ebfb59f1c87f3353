import type { Log, LogConsumer, RecordHandler } from '@retrigger/ports/log.ts';
import { onTestFinished } from 'vitest';
import { unique } from './eventually.ts';
import type { LogAdapter } from './log-adapter.ts';

export type LogFixture = {
  topic: string;
  group: string;
  log(): Log;
  consume(handler: RecordHandler, group?: string): Promise<LogConsumer>;
  reopen(): Promise<void>;
};

/** A log with one topic of its own; consumers and log end with the test. */
export async function openLog(adapter: LogAdapter, partitions: number): Promise<LogFixture> {
  const topic = unique('contract-topic');
  const group = unique('contract-group');
  const opened = await adapter.open({ [topic]: partitions });
  let log = opened.log;
  const consumers: LogConsumer[] = [];
  onTestFinished(async () => {
    for (const consumer of consumers) await consumer.stop();
    await opened.close();
  });
  return {
    topic,
    group,
    log: () => log,
    async consume(handler, name = group) {
      const consumer = await log.consume(topic, name, handler);
      consumers.push(consumer);
      return consumer;
    },
    async reopen() {
      if (opened.reopen === undefined) throw new Error('this adapter can not be opened again');
      log = await opened.reopen();
    },
  };
}

/** Keys of which each stands in another partition: element p has partition p. */
export function keyPerPartition(log: Log, topic: string): string[] {
  const keys: string[] = [];
  const count = log.partitionCount(topic);
  for (let i = 0; Object.keys(keys).length < count; i++) keys[log.partitionOf(topic, `tenant/task-${i}`)] ??= `tenant/task-${i}`;
  return keys;
}

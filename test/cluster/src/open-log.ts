import { randomBytes } from 'node:crypto';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog } from '@retrigger/kafka/kafka-log.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import type { LogRecord, NewRecord, RecordHandler } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { addresses } from './servers.ts';

/** A name that no other test has, and that tells the run's topics from those of others (cluster-up.ts removes them). */
export const freshPrefix = (): string => `test-${process.env.RETRIGGER_TEST_RUN ?? 'lone'}-${randomBytes(6).toString('hex')}.`;

/** What one installation on the running cluster is opened with; its topics are its own. */
export async function logOptions(partitions: { [topic: string]: number }, more: Partial<KafkaLogOptions> = {}): Promise<KafkaLogOptions> {
  const brokers = (await addresses()).get('RETRIGGER_KAFKA_BROKERS')?.split(',') ?? [];
  return {
    connection: { brokers, clientId: 'test', tls: { kind: 'off' }, sasl: null },
    topics: { partitions, replicationFactor: 1, minInsyncReplicas: 1, remembered: {} },
    clock: systemClock,
    observer: silent,
    prefix: freshPrefix(),
    ...more,
  };
}

export async function openLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const opened = await openKafkaLog(options);
  if (opened.kind !== 'open') throw new Error(opened.message);
  return opened.log;
}

export const record = (key: string, value: string): NewRecord => ({ key, value: Buffer.from(value), headers: {} });
export const text = ({ value }: LogRecord): string => Buffer.from(value).toString();

/** A handler that keeps what it is given, and commits it. */
export function recorder(): RecordHandler & { records: LogRecord[]; told: string[]; owned: Set<number> } {
  const records: LogRecord[] = [];
  const told: string[] = [];
  const owned = new Set<number>();
  return {
    records,
    told,
    owned,
    async assigned(partitions) {
      told.push(`assigned ${partitions}`);
      for (const partition of partitions) owned.add(partition);
    },
    async revoked(partitions) {
      told.push(`revoked ${partitions}`);
      for (const partition of partitions) owned.delete(partition);
    },
    async batch(_partition, batch, commit) {
      records.push(...batch);
      await commit((batch.at(-1)?.offset ?? 0) + 1);
    },
  };
}

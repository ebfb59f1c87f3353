import type { Clock } from '@retrigger/ports/clock.ts';
import type { Log } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import { type WatchedConsumer, watchConsumer } from './consumer-watchdog.ts';
import { GroupMember } from './group-member.ts';
import { type KafkaConnection, kafkaClient, LONG_RETRIES, SHORT_RETRIES } from './kafka-client.ts';
import { classifyKafkaError } from './kafka-errors.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { checkTopics, groupProgress, type TopicSettings } from './kafka-topics.ts';
import { partitionOfKey } from './murmur2.ts';
import { within } from './pause.ts';

export type KafkaLogOptions = {
  connection: KafkaConnection;
  /** Topics by the names that callers use. */
  topics: TopicSettings;
  clock: Clock;
  observer: Observer;
  /** Put before every topic's and group's name, so that several installations share a cluster; empty = none. */
  prefix?: string;
  /** 8 s: another worker has a killed one's partitions within 10 s. */
  sessionTimeoutMs?: number;
  /** 30 s. */
  appendTimeoutMs?: number;
  reached?: Reached;
};

/** `unhealthy` is null when all is well, else what is not. */
export type KafkaLog = Log & {
  /** What this process's own traffic shows. */
  unhealthy(): string | null;
  /** Whether a broker answers within 2 s. */
  reachable(): Promise<boolean>;
};

const SESSION_TIMEOUT_MS = 8_000;
const APPEND_TIMEOUT_MS = 30_000;
const REACHABLE_MS = 2_000;

/** Connects, makes the missing topics, checks all, and gives the log. A cluster that can't be reached, or a topic that is wrong, is a value. */
export async function openKafkaLog(
  options: KafkaLogOptions,
): Promise<{ kind: 'open'; log: KafkaLog } | { kind: 'cannot_open'; message: string }> {
  const { clock, observer, prefix = '' } = options;
  const kafka = kafkaClient(options.connection, options, SHORT_RETRIES);
  const consuming = kafkaClient(options.connection, options, LONG_RETRIES);
  const admin = kafka.admin();
  const named = <T>(byTopic: { [topic: string]: T }) =>
    Object.fromEntries(Object.entries(byTopic).map(([topic, value]) => [prefix + topic, value]));
  const partitions = new Map<string, number>();
  const countOf = (topic: string): number => {
    const count = partitions.get(prefix + topic);
    if (count === undefined) throw new Error(`the log was opened without a topic ${topic}`);
    return count;
  };
  const producer = new KafkaProducer(kafka, {
    clock,
    observer,
    partitionOf: (topic, key) => partitionOfKey(key, partitions.get(topic) ?? 1),
    appendTimeoutMs: options.appendTimeoutMs ?? APPEND_TIMEOUT_MS,
    reached: options.reached ?? unobserved,
  });
  const cannotOpen = async (message: string) => {
    await within(clock, REACHABLE_MS, Promise.all([admin.disconnect(), producer.close()]));
    return { kind: 'cannot_open' as const, message };
  };
  try {
    await admin.connect();
    const settings = {
      ...options.topics,
      partitions: named(options.topics.partitions),
      remembered: named(options.topics.remembered),
      writtenByOthers: options.topics.writtenByOthers?.map((topic) => prefix + topic) ?? [],
    };
    const checked = await checkTopics(admin, settings, clock);
    if (checked.kind === 'wrong') return cannotOpen(checked.message);
    for (const [topic, count] of checked.partitions) partitions.set(topic, count);
    await producer.connect();
  } catch (error) {
    const { code, message } = classifyKafkaError(error);
    return cannotOpen(`Kafka at ${options.connection.brokers.join(', ')} can't be used: ${message} (${code})`);
  }

  const consumers = new Set<WatchedConsumer & { group: string }>();
  const log: KafkaLog = {
    append: async (topic, records) => {
      countOf(topic);
      await producer.append(prefix + topic, records);
    },
    partitionOf: (topic, key) => partitionOfKey(Buffer.from(key), countOf(topic)),
    partitionCount: countOf,
    stuckMs: (topic, partition) => producer.stuckMs(prefix + topic, partition),
    async consume(topic, group, handler) {
      countOf(topic);
      const member = () =>
        new GroupMember(consuming, {
          clock,
          observer,
          handler,
          topic: { name: topic, physical: prefix + topic },
          group: prefix + group,
          sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
        });
      const watched = watchConsumer(member, group, clock, observer);
      const entry = Object.assign(watched, { group });
      consumers.add(entry);
      return {
        async stop() {
          await watched.stop();
          consumers.delete(entry);
        },
      };
    },
    lag: async (topic, group) => (await log.progress(topic, group)).reduce((lag, { committed, end }) => lag + end - committed, 0),
    progress: (topic, group) => groupProgress(admin, prefix + topic, prefix + group),
    unhealthy() {
      const idle = [...consumers].find(({ healthy }) => !healthy);
      if (idle !== undefined) return `the consumer of ${idle.group} is not consuming`;
      return producer.healthy ? null : 'appends are not acknowledged';
    },
    async reachable() {
      const answered = admin.describeCluster().then(
        () => true,
        () => false,
      );
      return (await within(clock, REACHABLE_MS, answered)) && (await answered);
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      consumers.clear();
      await producer.close();
      await admin.disconnect();
    },
  };
  return { kind: 'open', log };
}

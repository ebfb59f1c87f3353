import type { Clock } from '@retrigger/ports/clock.ts';
import { MOST_RECORD_BYTES, type PartitionProgress } from '@retrigger/ports/log.ts';
import kafkajs from 'kafkajs';
import { classifyKafkaError } from './kafka-errors.ts';
import { backoffMs, pause } from './pause.ts';

/** What the topics must be. Partition counts are by topic; the rest holds for all of them. */
export type TopicSettings = {
  partitions: { [topic: string]: number };
  /** 3 in production, 1 on one machine. */
  replicationFactor: number;
  /** How many replicas must have a record before its append resolves: 2 of 3 in production. */
  minInsyncReplicas: number;
  /** Partition counts as the store remembers them; a topic that is not in it may have any count. */
  remembered: { [topic: string]: number };
  /** Topics that other systems write to (T3). */
  writtenByOthers?: string[];
};

export type TopicsChecked = { kind: 'ready'; partitions: Map<string, number> } | { kind: 'wrong'; message: string };

/** A new topic is not known to every broker at once. */
const PATIENCE_MS = 15_000;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Makes the topics that are missing and looks at all of them.
 * T1: a topic stamps records with the log's own time, keeps every record (no compaction), takes records of 4 MiB and acknowledges with the
 * replicas that were asked for; one that doesn't is named, with what is wrong, and nothing is changed.
 * T2: a topic has the partition count that the store remembers: with another count, keys would stand elsewhere.
 * T3: a topic that others write to is stored without compression, whatever its producers use: KafkaJS reads no snappy, lz4 or zstd, and a record of a few
 * bytes could become gigabytes; the broker bounds what it has unpacked.
 */
export async function checkTopics(admin: kafkajs.Admin, settings: TopicSettings, clock: Clock): Promise<TopicsChecked> {
  const until = clock.now() + PATIENCE_MS;
  for (let failures = 0; ; failures++) {
    try {
      await createMissing(admin, settings);
      return await inspect(admin, settings);
    } catch (error) {
      const { code, message, retry } = classifyKafkaError(error);
      if (!retry || clock.now() >= until) return { kind: 'wrong', message: `the Kafka topics could not be checked: ${message} (${code})` };
      await pause(clock, backoffMs(failures, LONGEST_PAUSE_MS));
    }
  }
}

async function inspect(admin: kafkajs.Admin, settings: TopicSettings): Promise<TopicsChecked> {
  const names = Object.keys(settings.partitions);
  const [metadata, configs] = await Promise.all([admin.fetchTopicMetadata({ topics: names }), readConfigs(admin, names)]);
  const partitions = new Map<string, number>();
  for (const { name, partitions: found } of metadata.topics) {
    const complaint =
      wrongConfig(configs.get(name) ?? new Map(), settings) ??
      wrongCompression(configs.get(name) ?? new Map(), settings.writtenByOthers?.includes(name) ?? false) ??
      wrongPartitions(found, settings.remembered[name] ?? found.length, settings.replicationFactor);
    if (complaint !== undefined) return { kind: 'wrong', message: `the Kafka topic ${name} ${complaint}` };
    partitions.set(name, found.length);
  }
  return { kind: 'ready', partitions };
}

async function createMissing(admin: kafkajs.Admin, settings: TopicSettings): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = Object.keys(settings.partitions).filter((name) => !existing.has(name));
  if (missing.length === 0) return;
  // False when another process was first, which is as good.
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map((topic) => ({
      topic,
      numPartitions: settings.remembered[topic] ?? settings.partitions[topic] ?? 1,
      replicationFactor: settings.replicationFactor,
      configEntries: [
        { name: 'message.timestamp.type', value: 'LogAppendTime' },
        { name: 'max.message.bytes', value: String(MOST_RECORD_BYTES) },
        { name: 'min.insync.replicas', value: String(settings.minInsyncReplicas) },
        { name: 'cleanup.policy', value: 'delete' },
        ...(settings.writtenByOthers?.includes(topic) ? [{ name: 'compression.type', value: 'uncompressed' }] : []), // T3
      ],
    })),
  });
}

const CHECKED = ['message.timestamp.type', 'max.message.bytes', 'min.insync.replicas', 'cleanup.policy', 'compression.type'];

async function readConfigs(admin: kafkajs.Admin, names: string[]): Promise<Map<string, Map<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: CHECKED })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

/** T1 */
function wrongConfig(config: Map<string, string>, { minInsyncReplicas }: TopicSettings): string | undefined {
  const is = (name: string): string => config.get(name) ?? 'unknown';
  if (is('message.timestamp.type') !== 'LogAppendTime')
    return `has message.timestamp.type ${is('message.timestamp.type')}; it must be LogAppendTime, for the log's clock decides`;
  if (is('cleanup.policy') !== 'delete')
    return `has cleanup.policy ${is('cleanup.policy')}; it must be delete, for no record may be compacted away`;
  if (!(Number(is('max.message.bytes')) >= MOST_RECORD_BYTES))
    return `has max.message.bytes ${is('max.message.bytes')}; it must be ${MOST_RECORD_BYTES} or more`;
  if (!(Number(is('min.insync.replicas')) >= minInsyncReplicas))
    return `has min.insync.replicas ${is('min.insync.replicas')}; it must be ${minInsyncReplicas} or more`;
  return undefined;
}

/** T3 */
function wrongCompression(config: Map<string, string>, isWrittenByOthers: boolean): string | undefined {
  const type = config.get('compression.type') ?? 'unknown';
  return !isWrittenByOthers || type === 'uncompressed'
    ? undefined
    : `has compression.type ${type}; it must be uncompressed, for producers may use what can’t be read here`;
}

/** T1, T2 */
function wrongPartitions(found: kafkajs.PartitionMetadata[], count: number, replicationFactor: number): string | undefined {
  if (found.length !== count)
    return `has ${found.length} partitions, but the store remembers ${count}; see the runbook for changing the count`;
  const thin = found.find(({ replicas }) => replicas.length < replicationFactor);
  return thin === undefined
    ? undefined
    : `has ${thin.replicas.length} replicas of partition ${thin.partitionId}; it must have ${replicationFactor} or more`;
}

/** Where the group stands in each partition. @throws KafkaJS's errors. */
export async function groupProgress(admin: kafkajs.Admin, topic: string, group: string): Promise<PartitionProgress[]> {
  const [ends, [committed]] = await Promise.all([admin.fetchTopicOffsets(topic), admin.fetchOffsets({ groupId: group, topics: [topic] })]);
  const passed = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  const progress = ends.map(({ partition, high, low }) => {
    const end = Number(high);
    return { partition, committed: Math.min(end, Math.max(Number(low), passed.get(partition) ?? 0)), end };
  });
  // A broker lists partitions in no order.
  return progress.sort((left, right) => left.partition - right.partition);
}

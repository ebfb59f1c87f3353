import { randomBytes } from 'node:crypto';
import type { Environment } from '@retrigger/config/environment.ts';
import { hmacSecrets } from '@retrigger/config/hmac-secrets.ts';
import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { type AvroContract, openSchemaRegistry, type RegistryOptions } from '@retrigger/contract/schema-registry.ts';
import { eraseFirst } from '@retrigger/engine/erase-first.ts';
import { isMasterKeyOf, OTHER_MASTER_KEY } from '@retrigger/engine/master-key.ts';
import { createPrivacy, type Privacy } from '@retrigger/engine/privacy.ts';
import { writeInSteps } from '@retrigger/engine/write-in-steps.ts';
import { writeTogether } from '@retrigger/engine/write-together.ts';
import { type KafkaLog, openKafkaLog } from '@retrigger/kafka/kafka-log.ts';
import { PARTITIONER } from '@retrigger/kafka/murmur2.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo, type MongoConnection } from '@retrigger/mongo/mongo-client.ts';
import { MongoDocumentStore } from '@retrigger/mongo/mongo-document-store.ts';
import { MongoEventStore } from '@retrigger/mongo/mongo-event-store.ts';
import { MongoKeyStore } from '@retrigger/mongo/mongo-key-store.ts';
import { MongoReceiptStore } from '@retrigger/mongo/mongo-receipt-store.ts';
import { answerWithin } from '@retrigger/mongo/mongo-retry.ts';
import { MongoSnapshotStore } from '@retrigger/mongo/mongo-snapshot-store.ts';
import { rememberShapes } from '@retrigger/mongo/mongo-topic-shapes.ts';
import type { Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DecisionStore } from '@retrigger/ports/decision-store.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import type { Leases } from '@retrigger/ports/leases.ts';
import type { Limiter } from '@retrigger/ports/limiter.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { type Reached, unobserved } from '@retrigger/ports/reached.ts';
import type { ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import type { SnapshotStore } from '@retrigger/ports/snapshot-store.ts';
import { RedisAnswers } from '@retrigger/redis/redis-answers.ts';
import { RedisLeases } from '@retrigger/redis/redis-leases.ts';
import { RedisLimiter } from '@retrigger/redis/redis-limiter.ts';
import { startTelemetry, type Telemetry, type TelemetryOptions } from '@retrigger/telemetry/telemetry.ts';
import { type ClusterSettings, clusterSettings, kafkaConnection, registryConnection } from './settings.ts';

export const VERSION = '0.1.0';

export type ClusterOptions = { reached?: Reached; spanExporter?: TelemetryOptions['spanExporter'] };

/** Of a process that serves callers: how long one append, and one operation of the store, may keep them waiting. Without it servers that are away are ridden out. */
export type CallersWait = { appendMs: number; storeMs: number };

/** Everything behind the ports that a process of the cluster profile works with. */
export type Cluster = {
  settings: ClusterSettings;
  clock: Clock;
  observer: Observer;
  telemetry: Telemetry;
  log: KafkaLog;
  events: EventStore;
  receipts: ReceiptStore;
  snapshots: SnapshotStore;
  decisions: DecisionStore;
  documents: DocumentStore;
  answers: Answers;
  limiter: Limiter;
  leases: Leases;
  secrets: Secrets;
  privacy: Privacy;
  eventCodec: EventCodec;
  readAvroCommand: AvroContract['readCommand'];
  reached: Reached;
  /** Each server, as this process sees it now. */
  readiness(): Promise<{ [dependency: string]: 'up' | 'down' }>;
  close(): Promise<void>;
};

/** Connects a service to Kafka, MongoDB and Redis. What its user can mend (a setting, a server that is away, a topic that is wrong) is a value. */
export async function connectCluster(
  service: string,
  environment: Environment,
  options: ClusterOptions & { callersWait?: CallersWait } = {},
): Promise<{ kind: 'connected'; cluster: Cluster } | { kind: 'cannot_start'; message: string }> {
  const read = clusterSettings(environment);
  if (read.kind === 'wrong') return cannot(read.message);
  const { settings } = read;
  const { logLevel, otlpEndpoint, mongoUrl, redisUrl } = settings;
  const { spanExporter, reached = unobserved, callersWait } = options;
  const exporting = { exportSpans: otlpEndpoint !== null, ...(spanExporter === undefined ? {} : { spanExporter }) };
  const telemetry = await startTelemetry({ service: `retrigger-${service}`, version: VERSION, logLevel, ...exporting });
  const { observer } = telemetry;
  const clock = systemClock;
  const closers: (() => Promise<unknown>)[] = [() => telemetry.stop()];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  const giveUp = async (message: string) => {
    await close();
    return cannot(message);
  };
  try {
    const mongo = await connectMongo(mongoUrl, clock, callersWait?.storeMs);
    closers.push(() => mongo.close());
    const shapes = await rememberShapes(mongo, wantedPartitions(settings), PARTITIONER);
    if (shapes.kind === 'other_hash')
      return giveUp(`${shapes.topic} was made with the hash ${shapes.stored}, this version has ${PARTITIONER}`);
    const opened = await openKafkaLog({
      connection: kafkaConnection(settings, `retrigger-${service}`),
      topics: {
        ...{ partitions: shapes.partitions, remembered: shapes.partitions, writtenByOthers: [TOPICS.commands] },
        ...replication(settings),
      },
      prefix: settings.kafkaPrefix,
      clock,
      observer,
      reached,
      ...(callersWait === undefined ? {} : { appendTimeoutMs: callersWait.appendMs }),
    });
    if (opened.kind === 'cannot_open') return giveUp(opened.message);
    const { log } = opened;
    closers.push(() => log.close());
    const registry = registryConnection(settings);
    const contract = await openSchemaRegistry(registry);
    if (contract.kind === 'cannot_open') return giveUp(contract.message);
    const answers = await RedisAnswers.open(redisUrl, randomBytes(12).toString('hex'), { clock, observer });
    closers.push(() => answers.close());
    const limiter = await RedisLimiter.open(redisUrl, { clock, observer });
    closers.push(() => limiter.close());
    const leases = await RedisLeases.open(redisUrl, { clock, observer });
    closers.push(() => leases.close());
    const stores = storesOf(mongo, observer, reached);
    const secrets = hmacSecrets(Buffer.from(settings.secret));
    const masterSecrets = settings.masterKey === null ? secrets : hmacSecrets(Buffer.from(settings.masterKey));
    const keys = await MongoKeyStore.open(mongo);
    if (!(await isMasterKeyOf({ keys, secrets: masterSecrets, freshBytes: randomBytes }))) return giveUp(`the store ${OTHER_MASTER_KEY}`);
    const privacy = createPrivacy({ keys, secrets: masterSecrets, snapshots: stores.snapshots, clock, freshBytes: randomBytes });
    const decisions = eraseFirst(stores.decisions, (token) => privacy.ring.destroy(token));
    const readiness = async () => {
      const asked = {
        ...{ kafka: log.reachable(), mongodb: mongoAnswers(mongo, clock), redis: redisAnswers(limiter) },
        schemaRegistry: registryAnswers(registry),
      };
      const told = Object.entries(asked).map(async ([name, isUp]) => [name, state(await isUp)] as const);
      return Object.fromEntries(await Promise.all(told));
    };
    const { events: eventCodec, readCommand: readAvroCommand } = contract.avro;
    return {
      kind: 'connected',
      cluster: {
        ...{ settings, clock, observer, telemetry, log, ...stores, decisions, answers, limiter, leases },
        ...{ secrets, privacy, eventCodec, readAvroCommand, reached, readiness, close },
      },
    };
  } catch (error) {
    return giveUp(error instanceof Error ? error.message : String(error));
  }
}

const wantedPartitions = ({ partitions }: ClusterSettings) => ({
  [TOPICS.commands]: partitions,
  [TOPICS.work]: partitions,
  [TOPICS.events]: partitions,
  [TOPICS.deadLetters]: 4,
});

const replication = ({ replicationFactor, minInsyncReplicas }: ClusterSettings) => ({ replicationFactor, minInsyncReplicas });

function storesOf(mongo: MongoConnection, observer: Observer, reached: Reached) {
  const events = new MongoEventStore(mongo, reached);
  const receipts = new MongoReceiptStore(mongo, reached);
  const snapshots = new MongoSnapshotStore(mongo, reached);
  const documents = new MongoDocumentStore(mongo);
  const decisions = writeTogether(writeInSteps(events, receipts, snapshots, reached), observer);
  return { events, receipts, snapshots, documents, decisions };
}

const state = (isUp: boolean): 'up' | 'down' => (isUp ? 'up' : 'down');

const PING_MS = 2_000;
/** The driver's own bound, which also ends a connection that says nothing, leaves out how long it looks for a server. */
const mongoAnswers = ({ db }: MongoConnection, clock: Clock): Promise<boolean> =>
  answerWithin(
    PING_MS,
    clock,
  )(() => db.command({ ping: 1 }, { timeoutMS: PING_MS })).then(
    () => true,
    () => false,
  );

/** A refund of nothing is the smallest question that goes the whole way. */
const redisAnswers = (limiter: Limiter): Promise<boolean> =>
  limiter.refund([{ name: 'ready', key: 'ready', points: 1, windowMs: 1_000 }], 0).then(
    () => true,
    () => false,
  );

const registryAnswers = ({ url, login }: RegistryOptions): Promise<boolean> => {
  const basic = login === null ? {} : { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` };
  return fetch(`${url}/subjects`, { headers: basic, signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
};

const cannot = (message: string) => ({ kind: 'cannot_start' as const, message: `retrigger: ${message}` });

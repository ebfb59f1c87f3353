import { openKafkaLog } from '@retrigger/kafka/kafka-log.ts';
import { mendTimers } from '@retrigger/kafka/kafkajs-timers.ts';
import { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import { logOptions, openLog } from './open-log.ts';

mendTimers(Date.now);

/** Makes a topic the way somebody else might have made it. */
async function made(brokers: string[], topic: string, numPartitions: number, config: { [name: string]: string }) {
  const admin = new Kafka({ brokers, logLevel: 0 }).admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      { topic, numPartitions, replicationFactor: 1, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) },
    ],
  });
  await admin.disconnect();
}

const RIGHT = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': String(4 * 1024 * 1024) };

test.each([
  [
    'the producer’s clock',
    { ...RIGHT, 'message.timestamp.type': 'CreateTime' },
    'has message.timestamp.type CreateTime; it must be LogAppendTime',
  ],
  ['compaction', { ...RIGHT, 'cleanup.policy': 'compact' }, 'has cleanup.policy compact; it must be delete'],
  ['small messages', { ...RIGHT, 'max.message.bytes': '1000000' }, 'has max.message.bytes 1000000; it must be 4194304 or more'],
])('T1: a topic with %s is refused and named', async (_, config, complaint) => {
  const options = await logOptions({ work: 2 });
  await made(options.connection.brokers, `${options.prefix}work`, 2, config);
  const opened = await openKafkaLog(options);
  expect(opened).toMatchObject({ kind: 'cannot_open', message: expect.stringContaining(`${options.prefix}work ${complaint}`) });
});

test('T3: a topic that others write to is made to store what they send without compression; one that does not is refused and named', async () => {
  const options = await logOptions({ theirs: 1, ours: 1 });
  const open = { ...options, topics: { ...options.topics, writtenByOthers: ['theirs'] } };
  await (await openLog(open)).close();
  const other = await logOptions({ theirs: 1 });
  await made(other.connection.brokers, `${other.prefix}theirs`, 1, RIGHT);
  expect(await openKafkaLog({ ...other, topics: { ...other.topics, writtenByOthers: ['theirs'] } })).toMatchObject({
    kind: 'cannot_open',
    message: expect.stringContaining(`${other.prefix}theirs has compression.type producer; it must be uncompressed`),
  });
});

test('T1: too few replicas are refused', async () => {
  const options = await logOptions({ work: 2 });
  await (await openLog(options)).close();
  const stricter = { ...options, topics: { ...options.topics, replicationFactor: 3, minInsyncReplicas: 2 } };
  expect(await openKafkaLog(stricter)).toMatchObject({
    kind: 'cannot_open',
    message: expect.stringContaining('has min.insync.replicas 1; it must be 2'),
  });
});

test('T2: a partition count other than the remembered one is refused; an unremembered one is taken as it is', async () => {
  const options = await logOptions({ work: 8 });
  await made(options.connection.brokers, `${options.prefix}work`, 3, RIGHT);
  const remembering = { ...options, topics: { ...options.topics, remembered: { work: 8 } } };
  expect(await openKafkaLog(remembering)).toMatchObject({
    kind: 'cannot_open',
    message: expect.stringContaining('has 3 partitions, but the store remembers 8'),
  });
  const log = await openLog(options);
  expect(log.partitionCount('work')).toBe(3);
  await log.close();
});

test('a topic is made with the remembered count, by many at once', async () => {
  const options = await logOptions({ work: 8 });
  const remembering = { ...options, topics: { ...options.topics, remembered: { work: 5 } } };
  const logs = await Promise.all([1, 2, 3].map(() => openLog(remembering)));
  expect(logs.map((log) => log.partitionCount('work'))).toEqual([5, 5, 5]);
  await Promise.all(logs.map((log) => log.close()));
});

test('a cluster that is not there is a value that names it', async () => {
  const options = await logOptions({ work: 1 });
  const opened = await openKafkaLog({ ...options, connection: { ...options.connection, brokers: ['127.0.0.1:1'] } });
  expect(opened).toMatchObject({ kind: 'cannot_open', message: expect.stringMatching(/127\.0\.0\.1:1 .*\(unreachable\)/) });
});

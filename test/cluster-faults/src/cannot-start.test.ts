import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { clusterSettings } from '@retrigger/cluster/settings.ts';
import { kafkaClient, SHORT_RETRIES } from '@retrigger/kafka/kafka-client.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { logOptions } from '@retrigger/test-cluster/open-log.ts';
import { type Child, startChild } from '@retrigger/test-faults/child.ts';
import { describe, expect, test } from 'vitest';
import { Installation } from './installation.ts';

const NOBODY = '127.0.0.1:1';
const SERVERS = ['RETRIGGER_KAFKA_BROKERS', 'RETRIGGER_SCHEMA_REGISTRY_URL', 'RETRIGGER_MONGODB_URL', 'RETRIGGER_REDIS_URL'];
const EVERYTHING = {
  RETRIGGER_KAFKA_BROKERS: NOBODY,
  RETRIGGER_SCHEMA_REGISTRY_URL: `http://${NOBODY}`,
  RETRIGGER_MONGODB_URL: `mongodb://${NOBODY}`,
  RETRIGGER_REDIS_URL: `redis://${NOBODY}`,
  RETRIGGER_SECRET: 'a-secret-that-is-long-enough',
};
const CLUSTER = fileURLToPath(import.meta.resolve('@retrigger/cluster/main.ts'));

/** One line on what to do, exit code 1, nothing else. */
async function refuses(child: Child, ...words: string[]): Promise<void> {
  await expect(child.ready).rejects.toThrow();
  expect(await child.ended).toEqual({ code: 1, signal: null });
  const lines = child.output().trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  for (const word of words) expect(lines[0]).toContain(word);
}

async function within(test: (installation: Installation) => Promise<void>, more: { [variable: string]: string } = {}): Promise<void> {
  const installation = await Installation.fresh(more);
  await test(installation).finally(() => installation.end());
}

describe.concurrent('a service of the cluster', () => {
  test.each(SERVERS)('asks for %s in one line', (variable) => {
    expect(clusterSettings({ ...EVERYTHING, [variable]: '' })).toEqual({
      kind: 'wrong',
      message: expect.stringMatching(new RegExp(`^${variable} is not set.*$`)),
    });
  });

  test('says in one line that the secret is not set', () =>
    within((installation) => refuses(installation.start('worker', { RETRIGGER_SECRET: '' }), 'RETRIGGER_SECRET', 'not set')));

  test('says in one line that the first key is not set', () =>
    within((installation) => refuses(installation.start('gateway', { RETRIGGER_API_KEY: '' }), 'RETRIGGER_API_KEY')));

  test('says in one line which variable is wrong', () =>
    within((installation) =>
      refuses(installation.start('dispatcher', { RETRIGGER_PARTITIONS: 'many' }), 'RETRIGGER_PARTITIONS', '"many"'),
    ));

  test.each([
    ['Kafka', { RETRIGGER_KAFKA_BROKERS: NOBODY }],
    ['MongoDB', { RETRIGGER_MONGODB_URL: `mongodb://${NOBODY}/retrigger` }],
    ['Redis', { RETRIGGER_REDIS_URL: `redis://${NOBODY}` }],
    ['registry', { RETRIGGER_SCHEMA_REGISTRY_URL: `http://${NOBODY}/apis/ccompat/v7` }],
  ])('says in one line that %s is away', (server, setting) =>
    within((installation) => refuses(installation.start('worker', setting), server)),
  );

  test('says in one line that a topic has another partition count than the store remembers', () =>
    within(async (installation) => {
      await installation.start('worker').ready;
      await installation.end();
      const topic = `${installation.settings.RETRIGGER_KAFKA_PREFIX}retrigger.work`;
      const admin = kafkaClient((await logOptions({})).connection, { clock: systemClock, observer: silent }, SHORT_RETRIES).admin();
      await admin.connect();
      await admin.createPartitions({ topicPartitions: [{ topic, count: 9 }] });
      await admin.disconnect();
      await refuses(installation.start('worker'), topic, '9 partitions', '8');
    }));

  test('says in one line that its health port is taken', () =>
    within(async (installation) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      await refuses(installation.start('worker', { RETRIGGER_HEALTH_PORT: String(port) }), String(port), 'RETRIGGER_HEALTH_PORT');
      other.close();
    }));

  test('that starts with the others says in one line, once, what all of them lack', () =>
    within((installation) =>
      refuses(startChild(CLUSTER, [], { ...installation.settings, RETRIGGER_SECRET: '' }), 'RETRIGGER_SECRET', 'not set'),
    ));
});

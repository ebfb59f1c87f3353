import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { clusterSettings, kafkaConnection, registryConnection } from '@retrigger/cluster/settings.ts';
import { kafkaClient, SHORT_RETRIES } from '@retrigger/kafka/kafka-client.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { connectMongo } from '@retrigger/mongo/mongo-client.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { RedisLimiter } from '@retrigger/redis/redis-limiter.ts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kafkaAnswers } from './kafka-answers.ts';
import { mongoAnswers } from './mongo-answers.ts';
import { type Certificates, makeCertificates, removeCertificates, startTlsServer, type TlsServer } from './tls-server.ts';

const USER = 'a-user-of-ours';
const PASSWORD = 'a-password-of-ours';

/** Nobody answers to the end, and once the login is heard nobody needs to: then all patience is over. */
function impatientClock() {
  const fires = new Set<() => void>();
  let patienceMs = 0;
  return {
    now: () => systemClock.now() + patienceMs,
    timer(at: number, fire: () => void) {
      fires.add(fire);
      const cancel = systemClock.timer(at, fire);
      return () => {
        fires.delete(fire);
        cancel();
      };
    },
    end() {
      patienceMs = 3_600_000;
      for (const fire of fires) fire();
    },
  };
}

let certificates: Certificates;
let server: TlsServer;
beforeAll(() => {
  certificates = makeCertificates();
});
afterEach(() => server.close());
afterAll(() => removeCertificates(certificates));

/** The settings of a cluster that has this environment besides what it needs. */
function settingsOf(more: { [variable: string]: string }) {
  const read = clusterSettings({
    RETRIGGER_KAFKA_BROKERS: '127.0.0.1:1',
    RETRIGGER_SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    RETRIGGER_MONGODB_URL: 'mongodb://127.0.0.1:1/x',
    RETRIGGER_REDIS_URL: 'redis://127.0.0.1:1',
    RETRIGGER_SECRET: 'the-secret-of-connections',
    ...more,
  });
  if (read.kind === 'wrong') throw new Error(read.message);
  return read.settings;
}

describe('Kafka', () => {
  async function connect(more: { [variable: string]: string }): Promise<() => Promise<void>> {
    const settings = settingsOf({ RETRIGGER_KAFKA_BROKERS: `127.0.0.1:${server.port}`, RETRIGGER_KAFKA_TLS: 'true', ...more });
    const admin = kafkaClient(
      kafkaConnection(settings, 'a-client-of-ours'),
      { clock: systemClock, observer: silent },
      { ...SHORT_RETRIES, retries: 0 },
    ).admin();
    const connecting = admin.connect().catch(() => {}); // nobody answers to the end
    return async () => {
      server.close();
      await connecting;
      await admin.disconnect();
    };
  }

  test('is spoken to over TLS with the authority and the client certificate of the settings', async () => {
    server = await startTlsServer(certificates);
    const end = await connect({
      RETRIGGER_KAFKA_CA_FILE: certificates.ca,
      RETRIGGER_KAFKA_CERTIFICATE_FILE: certificates.client.certificate,
      RETRIGGER_KAFKA_KEY_FILE: certificates.client.key,
    });
    await server.hears('a-client-of-ours');
    expect(server.clients).toContain('a-service');
    await end();
  });

  test('a server that no known authority vouches for is told nothing', async () => {
    server = await startTlsServer(certificates);
    const end = await connect({});
    await expect.poll(() => server.refused(), { timeout: 10_000 }).toBeGreaterThan(0);
    await end();
    expect(server.clients).toEqual([]);
  });

  test.each([
    ['plain', 'PLAIN', `\0${USER}\0${PASSWORD}`],
    ['scram-sha-256', 'SCRAM-SHA-256', `n=${USER}`],
    ['scram-sha-512', 'SCRAM-SHA-512', `n=${USER}`],
  ])('is logged in to by %s', async (mechanism, name, said) => {
    server = await startTlsServer(certificates, kafkaAnswers(name));
    const end = await connect({
      RETRIGGER_KAFKA_CA_FILE: certificates.ca,
      RETRIGGER_KAFKA_SASL: mechanism,
      RETRIGGER_KAFKA_USERNAME: USER,
      RETRIGGER_KAFKA_PASSWORD: PASSWORD,
    });
    await server.hears(name);
    await server.hears(said);
    await end();
  });
});

test('MongoDB is spoken to over TLS and logged in to as its URL says', async () => {
  server = await startTlsServer(certificates, mongoAnswers);
  const { port } = server;
  const { mongoUrl } = settingsOf({
    RETRIGGER_MONGODB_URL: `mongodb://${USER}:${PASSWORD}@127.0.0.1:${port}/x?tls=true&tlsCAFile=${certificates.ca}&authMechanism=SCRAM-SHA-256&authSource=admin`,
  });
  const clock = impatientClock();
  const connecting = connectMongo(mongoUrl, clock).catch(() => {});
  await server.hears('SCRAM-SHA-256');
  await server.hears(`n=${USER}`);
  server.close();
  clock.end();
  await connecting;
});

test('Redis is spoken to over TLS and logged in to as its URL says', async () => {
  const authorities = getCACertificates('default');
  setDefaultCACertificates([...authorities, readFileSync(certificates.ca, 'utf8')]); // as NODE_EXTRA_CA_CERTS does
  try {
    server = await startTlsServer(certificates);
    const { redisUrl } = settingsOf({ RETRIGGER_REDIS_URL: `rediss://${USER}:${PASSWORD}@127.0.0.1:${server.port}` });
    const clock = impatientClock();
    const connecting = RedisLimiter.open(redisUrl, { clock, observer: silent }).catch(() => {});
    await server.hears(new RegExp(`${USER}[\\s\\S]*${PASSWORD}`));
    server.close();
    clock.end();
    await connecting;
  } finally {
    setDefaultCACertificates(authorities);
  }
});

test('the registry’s login goes into a header and not into its address', async () => {
  server = await startTlsServer(certificates);
  const settings = settingsOf({ RETRIGGER_SCHEMA_REGISTRY_URL: `https://${USER}:${PASSWORD}@registry:8080/apis/ccompat/v7/` });
  expect(registryConnection(settings)).toEqual({
    url: 'https://registry:8080/apis/ccompat/v7',
    login: { username: USER, password: PASSWORD },
  });
});

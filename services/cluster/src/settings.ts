import { readFileSync } from 'node:fs';
import { type Environment, readEnvironment, type Settings } from '@retrigger/config/environment.ts';
import { CLUSTER, SERVERS } from '@retrigger/config/variables.ts';
import type { RegistryOptions } from '@retrigger/contract/schema-registry.ts';
import type { KafkaConnection } from '@retrigger/kafka/kafka-client.ts';

type Read = Settings<typeof CLUSTER>;

/** What a process of the cluster profile needs, with nothing left out. */
export type ClusterSettings = Read & { kafkaBrokers: string[]; registryUrl: string; mongoUrl: string; redisUrl: string; secret: string };

/** A missing server address or secret is named like any other wrong setting: nothing has a default that could write to the wrong cluster. */
export function clusterSettings(
  environment: Environment,
): { kind: 'read'; settings: ClusterSettings } | { kind: 'wrong'; message: string } {
  const read = readEnvironment(environment, CLUSTER);
  if (read.kind === 'wrong') return read;
  const { kafkaBrokers, registryUrl, mongoUrl, redisUrl, secret } = read.settings;
  const needed = { ...SERVERS, secret: CLUSTER.secret };
  for (const [key, { name }] of Object.entries(needed)) {
    if (read.settings[key as keyof typeof needed] === null)
      return { kind: 'wrong', message: `${name} is not set; the cluster profile needs it` };
  }
  if (kafkaBrokers === null || registryUrl === null || mongoUrl === null || redisUrl === null || secret === null)
    throw new Error('unreachable');
  return { kind: 'read', settings: { ...read.settings, kafkaBrokers, registryUrl, mongoUrl, redisUrl, secret } };
}

/** A login in the registry's URL goes into a header, so that no log or message shows it. */
export function registryConnection({ registryUrl }: ClusterSettings): RegistryOptions {
  const url = new URL(registryUrl);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const login = username === '' ? null : { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  return { url: url.href.replace(/\/$/, ''), login };
}

/** @throws when a PEM file can't be read. */
export function kafkaConnection(settings: ClusterSettings, clientId: string): KafkaConnection {
  const pem = (file: string) => (file === '' ? null : readFileSync(file, 'utf8'));
  const { kafkaBrokers: brokers, kafkaSasl: mechanism, kafkaUsername: username, kafkaPassword: password } = settings;
  return {
    brokers,
    clientId,
    tls: settings.kafkaTls
      ? { kind: 'on', ca: pem(settings.kafkaCaFile), certificate: pem(settings.kafkaCertificateFile), key: pem(settings.kafkaKeyFile) }
      : { kind: 'off' },
    sasl: mechanism === 'none' ? null : { mechanism, username, password: password ?? '' },
  };
}

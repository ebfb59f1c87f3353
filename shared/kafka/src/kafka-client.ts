import type { Clock } from '@retrigger/ports/clock.ts';
import type { LogFields, Observer } from '@retrigger/ports/observer.ts';
import kafkajs from 'kafkajs';
import { mendTimers } from './kafkajs-timers.ts';

/** PEM texts; null where the machine's own trust store, or no client certificate, is meant. */
export type KafkaTls = { kind: 'off' } | { kind: 'on'; ca: string | null; certificate: string | null; key: string | null };
export type KafkaSasl = { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string };

export type KafkaConnection = {
  /** `host:port` of any of the brokers; the others are learned. */
  brokers: string[];
  /** Shown in the broker's logs and quotas. */
  clientId: string;
  tls: KafkaTls;
  /** Null = no login. */
  sasl: KafkaSasl | null;
};

export type KafkaClientPorts = { clock: Clock; observer: Observer };

const CONNECTION_TIMEOUT_MS = 3_000;
/** Above the 10 s that a broker may wait for its replicas. */
const REQUEST_TIMEOUT_MS = 15_000;
/** For appends and questions: KafkaJS rides out a hiccup of about 1.5 s, then whoever asked decides. */
export const SHORT_RETRIES = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4, factor: 0.2, multiplier: 2 };
/** For consumers: about 30 s. A member that comes back as itself keeps its partitions; a new one waits until the broker has given up the old one. */
export const LONG_RETRIES = { ...SHORT_RETRIES, retries: 32 };

export function kafkaClient(
  connection: KafkaConnection,
  { clock, observer }: KafkaClientPorts,
  retry: kafkajs.RetryOptions,
): kafkajs.Kafka {
  mendTimers(() => clock.now());
  return new kafkajs.Kafka({
    brokers: connection.brokers,
    clientId: connection.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry,
    ssl: tlsOptions(connection.tls),
    ...(connection.sasl === null ? {} : { sasl: connection.sasl as kafkajs.SASLOptions }),
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => observer.log(...logLine(entry)),
  });
}

function tlsOptions(tls: KafkaTls) {
  if (tls.kind === 'off') return false;
  const given = Object.entries({ ca: tls.ca, cert: tls.certificate, key: tls.key }).filter(([, text]) => text !== null);
  return given.length === 0 ? true : Object.fromEntries(given);
}

/** All of it is for whoever looks for a fault in here: what a user should know, the producer and the consumer watchdog say themselves, once. */
function logLine({ namespace, label, log }: kafkajs.LogEntry): ['debug', string, LogFields] {
  const fields: LogFields = { namespace, label };
  for (const [name, value] of Object.entries(log)) {
    if (['message', 'timestamp', 'logger', 'stack'].includes(name)) continue;
    if (['string', 'number', 'boolean'].includes(typeof value)) fields[name] = value;
    else if (value instanceof Error) fields[name] = value.message;
  }
  return ['debug', `kafkajs: ${log.message}`, fields];
}

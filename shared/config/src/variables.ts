import { counts, flag, hosts, httpUrl, integer, oneOf, port, secretText, secretUrl, text } from './environment.ts';

/** Where the gateway listens. */
export const LISTENING = { host: text('HOST', '127.0.0.1'), port: port('PORT', 8080) };

/** The folder of the embedded profile; made when missing. */
export const DATA_FOLDER = { dataDir: text('RETRIGGER_DATA_DIR', './.retrigger') };

/** Where a cluster's archives are put; the embedded profile has them in its data folder. */
export const ARCHIVE = { archiveDir: text('RETRIGGER_ARCHIVE_DIR', './archive') };

/** Null, unless it says otherwise: made on first start and kept in the data folder. */
export const SECRETS = {
  secret: secretText('RETRIGGER_SECRET', 16, 1_024),
  apiKey: secretText('RETRIGGER_API_KEY', 16, 256),
  /** Wraps the keys of personal data; null: the server secret does. */
  masterKey: secretText('RETRIGGER_MASTER_KEY', 16, 1_024),
};

/** How many triggers each may make; 0 = off. */
export const LIMITS = {
  userPerHour: integer('RETRIGGER_LIMIT_USER_PER_HOUR', 1_000, 0, 1_000_000_000),
  taskPerHour: integer('RETRIGGER_LIMIT_TASK_PER_HOUR', 100, 0, 1_000_000_000),
  systemPerMinute: integer('RETRIGGER_LIMIT_SYSTEM_PER_MINUTE', 10_000, 0, 1_000_000_000),
  tenantPerMinute: integer('RETRIGGER_LIMIT_TENANT_PER_MINUTE', 0, 0, 1_000_000_000),
};

/** Whose tokens are taken beside API keys; all three or none. */
export const TOKENS = {
  jwksUrl: httpUrl('RETRIGGER_JWKS_URL'),
  jwtIssuer: text('RETRIGGER_JWT_ISSUER', ''),
  jwtAudience: text('RETRIGGER_JWT_AUDIENCE', ''),
};

/** How many of its commands may wait on one partition of the work log to be decided, by tenant and gateway; 0 = no bound. */
export const SHARES = { tenantUndecided: integer('RETRIGGER_LIMIT_TENANT_UNDECIDED', 1_000, 0, 1_000_000) };

/** How targets are called. The first is also for subscriptions: whether they may be on private, loopback and link-local addresses. */
export const TARGETS = {
  allowPrivateTargets: flag('RETRIGGER_ALLOW_PRIVATE_TARGETS', false),
  /** How many targets of tasks of a type one dispatcher calls at once; types that are not named have no bound of their own. */
  typeConcurrency: counts('RETRIGGER_TYPE_CONCURRENCY'),
};

/** How news goes out. `smtpUrl` null: no mail. The delays are those of services/notifier/src/attempts.ts. */
export const NOTIFICATIONS = {
  smtpUrl: secretUrl('RETRIGGER_SMTP_URL', ['smtp:', 'smtps:']),
  mailFrom: text('RETRIGGER_MAIL_FROM', 'Retrigger <retrigger@localhost>'),
  notificationAttempts: integer('RETRIGGER_NOTIFICATION_ATTEMPTS', 7, 1, 100),
  notificationRetryMs: integer('RETRIGGER_NOTIFICATION_RETRY_MS', 500, 1, 3_600_000),
  notificationTimeoutMs: integer('RETRIGGER_NOTIFICATION_TIMEOUT_MS', 10_000, 10, 120_000),
  notificationHoldMs: integer('RETRIGGER_NOTIFICATION_HOLD_MS', 86_400_000, 1_000, 604_800_000),
  /** So many given up in a row pause a subscription. */
  notificationPauseAfter: integer('RETRIGGER_NOTIFICATION_PAUSE_AFTER', 3, 1, 1_000),
};

/** `otlpEndpoint` null: no spans leave the process. */
export const TELEMETRY = {
  logLevel: oneOf('RETRIGGER_LOG_LEVEL', 'info', ['debug', 'info', 'warn', 'error']),
  otlpEndpoint: httpUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
};

/** Everything that the embedded profile reads. */
export const EMBEDDED = {
  ...LISTENING,
  ...DATA_FOLDER,
  ...SECRETS,
  ...LIMITS,
  ...SHARES,
  ...TOKENS,
  ...TARGETS,
  ...NOTIFICATIONS,
  ...TELEMETRY,
};

/** Where the cluster profile's servers are. TLS and logins of MongoDB, Redis and the registry are part of their URLs. */
export const SERVERS = {
  kafkaBrokers: hosts('RETRIGGER_KAFKA_BROKERS'),
  registryUrl: httpUrl('RETRIGGER_SCHEMA_REGISTRY_URL'),
  mongoUrl: secretText('RETRIGGER_MONGODB_URL', 10, 2_048),
  redisUrl: secretText('RETRIGGER_REDIS_URL', 8, 2_048),
};

/** How Kafka is spoken to. The files are PEM; empty = the machine's own trust store, no client certificate. */
export const KAFKA = {
  kafkaTls: flag('RETRIGGER_KAFKA_TLS', false),
  kafkaCaFile: text('RETRIGGER_KAFKA_CA_FILE', ''),
  kafkaCertificateFile: text('RETRIGGER_KAFKA_CERTIFICATE_FILE', ''),
  kafkaKeyFile: text('RETRIGGER_KAFKA_KEY_FILE', ''),
  kafkaSasl: oneOf('RETRIGGER_KAFKA_SASL', 'none', ['none', 'plain', 'scram-sha-256', 'scram-sha-512']),
  kafkaUsername: text('RETRIGGER_KAFKA_USERNAME', ''),
  kafkaPassword: secretText('RETRIGGER_KAFKA_PASSWORD', 1, 1_024),
  /** Of topics that are made; topics that exist must have them. */
  replicationFactor: integer('RETRIGGER_KAFKA_REPLICATION_FACTOR', 3, 1, 32),
  minInsyncReplicas: integer('RETRIGGER_KAFKA_MIN_INSYNC_REPLICAS', 2, 1, 32),
  /** Of the work log and the events topic, fixed when they are made. */
  partitions: integer('RETRIGGER_PARTITIONS', 64, 1, 4_096),
  /** Put before the names of topics and consumer groups, so that several installations share a Kafka. */
  kafkaPrefix: text('RETRIGGER_KAFKA_PREFIX', ''),
};

/** A worker's or dispatcher's own port for /metrics, /healthz and /readyz; 0 = none. */
export const HEALTH = { healthPort: integer('RETRIGGER_HEALTH_PORT', 0, 0, 65_535) };

/** Everything that a process of the cluster profile reads; the secret is required there. */
export const CLUSTER = {
  ...LISTENING,
  ...SECRETS,
  ...LIMITS,
  ...SHARES,
  ...TOKENS,
  ...TARGETS,
  ...NOTIFICATIONS,
  ...TELEMETRY,
  ...SERVERS,
  ...KAFKA,
  ...HEALTH,
};

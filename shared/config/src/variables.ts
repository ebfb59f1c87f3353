import { flag, httpUrl, integer, oneOf, port, secretText, text } from './environment.ts';

/** Where the gateway listens. */
export const LISTENING = { host: text('HOST', '127.0.0.1'), port: port('PORT', 8080) };

/** The folder of the embedded profile; made when missing. */
export const DATA_FOLDER = { dataDir: text('RETRIGGER_DATA_DIR', './.retrigger') };

/** Null: made on first start and kept in the data folder. */
export const SECRETS = {
  secret: secretText('RETRIGGER_SECRET', 16, 1_024),
  apiKey: secretText('RETRIGGER_API_KEY', 16, 256),
};

/** How many triggers each may make; 0 = off. */
export const LIMITS = {
  userPerHour: integer('RETRIGGER_LIMIT_USER_PER_HOUR', 1_000, 0, 1_000_000_000),
  taskPerHour: integer('RETRIGGER_LIMIT_TASK_PER_HOUR', 100, 0, 1_000_000_000),
  systemPerMinute: integer('RETRIGGER_LIMIT_SYSTEM_PER_MINUTE', 10_000, 0, 1_000_000_000),
  tenantPerMinute: integer('RETRIGGER_LIMIT_TENANT_PER_MINUTE', 0, 0, 1_000_000_000),
};

/** Whether targets and subscriptions may be on private, loopback and link-local addresses. */
export const TARGETS = { allowPrivateTargets: flag('RETRIGGER_ALLOW_PRIVATE_TARGETS', false) };

/** `otlpEndpoint` null: no spans leave the process. */
export const TELEMETRY = {
  logLevel: oneOf('RETRIGGER_LOG_LEVEL', 'info', ['debug', 'info', 'warn', 'error']),
  otlpEndpoint: httpUrl('OTEL_EXPORTER_OTLP_ENDPOINT'),
};

/** Everything that the embedded profile reads. */
export const EMBEDDED = { ...LISTENING, ...DATA_FOLDER, ...SECRETS, ...LIMITS, ...TARGETS, ...TELEMETRY };

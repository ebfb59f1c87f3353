import { type Environment, readEnvironment } from '@retrigger/config/environment.ts';
import { EMBEDDED } from '@retrigger/config/variables.ts';
import { expect, test } from 'vitest';

const read = (environment: Environment) => readEnvironment(environment, EMBEDDED);
const message = (environment: Environment) => {
  const found = read(environment);
  return found.kind === 'wrong' ? found.message : undefined;
};

test('an empty environment gives the documented defaults', () => {
  expect(read({})).toEqual({
    kind: 'read',
    settings: {
      host: '127.0.0.1',
      port: 8080,
      dataDir: './.retrigger',
      secret: null,
      apiKey: null,
      userPerHour: 1_000,
      taskPerHour: 100,
      systemPerMinute: 10_000,
      tenantPerMinute: 0,
      masterKey: null,
      jwksUrl: null,
      jwtIssuer: '',
      jwtAudience: '',
      tenantUndecided: 1_000,
      allowPrivateTargets: false,
      typeConcurrency: new Map(),
      smtpUrl: null,
      mailFrom: 'Retrigger <retrigger@localhost>',
      notificationAttempts: 7,
      notificationRetryMs: 500,
      notificationTimeoutMs: 10_000,
      notificationHoldMs: 86_400_000,
      notificationPauseAfter: 3,
      logLevel: 'info',
      otlpEndpoint: null,
    },
  });
});

test('what is set is read, and an empty variable is an unset one', () => {
  const given = {
    HOST: '0.0.0.0',
    PORT: '0',
    RETRIGGER_DATA_DIR: '',
    RETRIGGER_API_KEY: 'k'.repeat(16),
    RETRIGGER_LIMIT_USER_PER_HOUR: '0',
    RETRIGGER_ALLOW_PRIVATE_TARGETS: 'true',
    RETRIGGER_TYPE_CONCURRENCY: 'deployment=4, smoke:test=100',
    RETRIGGER_LOG_LEVEL: 'warn',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
  };
  expect(read(given)).toMatchObject({
    settings: {
      host: '0.0.0.0',
      port: 0,
      dataDir: './.retrigger',
      apiKey: 'k'.repeat(16),
      userPerHour: 0,
      allowPrivateTargets: true,
      typeConcurrency: new Map([
        ['deployment', 4],
        ['smoke:test', 100],
      ]),
      logLevel: 'warn',
      otlpEndpoint: 'http://localhost:4318',
    },
  });
});

test.each([
  [{ RETRIGGER_SMTP_URL: 'https://me:secret@mail' }, 'RETRIGGER_SMTP_URL is no such URL; it must be a URL with smtp: or smtps://'],
  [{ PORT: '80a' }, 'PORT is "80a"; it must be a whole number from 0 to 65535'],
  [{ PORT: '65536' }, 'PORT is "65536"; it must be a whole number from 0 to 65535'],
  [{ PORT: '1e3' }, 'PORT is "1e3"; it must be a whole number from 0 to 65535'],
  [{ PORT: ' 80' }, 'PORT is " 80"; it must be a whole number from 0 to 65535'],
  [{ RETRIGGER_LIMIT_TASK_PER_HOUR: '-1' }, 'RETRIGGER_LIMIT_TASK_PER_HOUR is "-1"; it must be a whole number from 0 to 1000000000'],
  [{ RETRIGGER_ALLOW_PRIVATE_TARGETS: 'yes' }, 'RETRIGGER_ALLOW_PRIVATE_TARGETS is "yes"; it must be true or false'],
  ...['deployment', 'deployment=0', 'a=1,,b=2', 'no type=1'].map((text): [Environment, string] => [
    { RETRIGGER_TYPE_CONCURRENCY: text },
    `RETRIGGER_TYPE_CONCURRENCY is "${text}"; it must be a comma-separated list of type=count, each count from 1`,
  ]),
  [{ RETRIGGER_LOG_LEVEL: 'verbose' }, 'RETRIGGER_LOG_LEVEL is "verbose"; it must be one of debug, info, warn, error'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is no such URL; it must be an http or https URL'],
  [{ RETRIGGER_API_KEY: 'too short' }, 'RETRIGGER_API_KEY is 9 characters long; it must be 16 to 256 printable ASCII characters'],
  [{ RETRIGGER_API_KEY: 'k'.repeat(257) }, 'RETRIGGER_API_KEY is 257 characters long; it must be 16 to 256 printable ASCII characters'],
  [
    { RETRIGGER_API_KEY: `${'k'.repeat(20)}ü` },
    'RETRIGGER_API_KEY is not all printable ASCII; it must be 16 to 256 printable ASCII characters',
  ],
])('%o is refused in one line', (environment, expected) => {
  expect(message(environment)).toBe(expected);
});

test('the message never holds a secret', () => {
  expect(message({ RETRIGGER_SECRET: 'hunter2' })).not.toContain('hunter2');
  expect(message({ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:hunter2@host' })).not.toContain('hunter2');
});

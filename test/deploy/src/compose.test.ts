import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { compose, fileAt, localKafkaSettings, localVersion, serviceOf } from './deployment.ts';

const { services, volumes } = compose();
const ours = ['gateway', 'worker', 'dispatcher', 'notifier'];
const brokers = ['kafka-1', 'kafka-2', 'kafka-3'];

const isValid = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).compile(
  JSON.parse(fileAt('test/deploy/compose-spec/compose-spec.json')),
);
const violations = (file: unknown): string[] =>
  isValid(file) ? [] : (isValid.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);

describe('docker-compose.yml', () => {
  test('obeys the schema of the Compose Specification', () => {
    expect(violations(compose())).toEqual([]);
  });

  test('is checked by a schema that refuses a misspelt key and a wrong type', () => {
    expect(violations({ services: { gateway: { image: 'retrigger', enviroment: {} } } })).not.toEqual([]);
    expect(violations({ services: { gateway: { image: ['retrigger'] } } })).not.toEqual([]);
  });

  test('runs a gateway, two workers, a dispatcher and a notifier from one image, each by an npm script that exists', () => {
    const { scripts } = JSON.parse(fileAt('package.json'));
    for (const name of ours) {
      const service = serviceOf(name);
      expect(service.image).toBe('retrigger');
      expect(service.build).toEqual({ context: '.', dockerfile: 'deploy/Dockerfile' });
      expect(service.command).toEqual(['npm', 'run', `start:${name}`]);
      expect(scripts).toHaveProperty([`start:${name}`]);
    }
    expect(serviceOf('worker').deploy?.replicas).toBe(2);
  });

  test('gives every service of ours the four servers and requires the secret', () => {
    for (const name of ours) {
      const environment = serviceOf(name).environment ?? {};
      expect(environment.RETRIGGER_SECRET).toMatch(/^\$\{RETRIGGER_SECRET:\?/);
      expect(environment.RETRIGGER_KAFKA_BROKERS).toBe(brokers.map((broker) => `${broker}:9092`).join());
      expect(environment.RETRIGGER_SCHEMA_REGISTRY_URL).toBe('http://registry:8080/apis/ccompat/v7');
      expect(environment.RETRIGGER_MONGODB_URL).toBe('mongodb://mongo:27017/retrigger?replicaSet=rs0');
      expect(environment.RETRIGGER_REDIS_URL).toBe('redis://redis:6379');
    }
  });

  test('starts a service of ours only when every server answers, and the gateway answers by /readyz', () => {
    const servers = Object.keys(services).filter((name) => !ours.includes(name));
    for (const name of ours) {
      expect(serviceOf(name).depends_on).toEqual(Object.fromEntries(servers.map((server) => [server, { condition: 'service_healthy' }])));
    }
    for (const server of servers) expect(serviceOf(server).healthcheck?.test.length).toBeGreaterThan(1);
    expect(serviceOf('gateway').healthcheck?.test.join(' ')).toContain('/readyz');
  });

  test('keeps the data of every server in a volume of its own', () => {
    const mounted = Object.values(services).flatMap((service) => service.volumes ?? []);
    const names = mounted.map((mount) => mount.split(':')[0]);
    expect(names.toSorted()).toEqual(Object.keys(volumes).toSorted());
    for (const [name, service] of Object.entries(services)) expect(service.volumes?.length ?? 0).toBe(ours.includes(name) ? 0 : 1);
  });
});

describe('what docker-compose.yml and deploy/local have in common', () => {
  test('the versions are equal', () => {
    for (const broker of brokers) expect(serviceOf(broker).image).toBe(`apache/kafka:${localVersion('KAFKA_VERSION')}`);
    expect(serviceOf('registry').image).toBe(`apicurio/apicurio-registry:${localVersion('REGISTRY_VERSION')}`);
    expect(serviceOf('redis').image).toBe(`redis:${localVersion('REDIS_VERSION')}`);
  });

  test('every broker has the settings of the local one', () => {
    const settings = localKafkaSettings();
    expect(settings.size).toBeGreaterThan(4);
    for (const broker of brokers) {
      const environment = serviceOf(broker).environment ?? {};
      for (const [name, value] of settings) expect(String(environment[name]), `${broker} ${name}`).toBe(value);
    }
  });

  test('Redis runs with options that the local one has', () => {
    const local = fileAt('deploy/local/redis.sh')
      .replaceAll(/\\\n\s*|'/g, ' ')
      .replaceAll(/\s+/g, ' ');
    const options = (serviceOf('redis').command ?? []).slice(1).join(' ').replaceAll(/\s+/g, ' ');
    for (const option of options.split(/ (?=--)/)) expect(local).toContain(option.trim());
    expect(options).toContain('--appendonly yes');
  });

  test('the registry writes before it answers', () => {
    expect(serviceOf('registry').environment?.APICURIO_DATASOURCE_URL).toMatch(/^jdbc:h2:file:.+;WRITE_DELAY=0$/);
    expect(fileAt('deploy/local/registry.sh')).toMatch(/jdbc:h2:file:.+;WRITE_DELAY=0"/);
  });
});

describe('what differs from deploy/local because there is more than one broker', () => {
  test('every topic has three replicas, of which two must have a record', () => {
    for (const broker of brokers) {
      const environment = serviceOf(broker).environment ?? {};
      const replicas = Object.entries(environment).filter(([name]) => name.endsWith('REPLICATION_FACTOR'));
      const inSync = Object.entries(environment).filter(([name]) => /MIN_(ISR|INSYNC_REPLICAS)$/.test(name));
      expect(replicas.map(([, value]) => value)).toEqual([3, 3, 3, 3]);
      expect(inSync.map(([, value]) => value)).toEqual([2, 2, 2]);
    }
    for (const name of ours) {
      expect(serviceOf(name).environment).toMatchObject({ RETRIGGER_KAFKA_REPLICATION_FACTOR: 3, RETRIGGER_KAFKA_MIN_INSYNC_REPLICAS: 2 });
    }
  });

  test('each broker has an id and an address of its own, and all know the same quorum', () => {
    const quorum = brokers.map((broker, index) => `${index + 1}@${broker}:9093`).join();
    for (const [index, broker] of brokers.entries()) {
      expect(serviceOf(broker).environment).toMatchObject({
        KAFKA_NODE_ID: index + 1,
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${broker}:9092`,
        KAFKA_CONTROLLER_QUORUM_VOTERS: quorum,
      });
    }
  });
});

describe('deploy/Dockerfile', () => {
  const lines = fileAt('deploy/Dockerfile').split('\n');

  test('pins a Node that the package accepts', () => {
    const [, major, minor] = /^FROM node:(\d+)\.(\d+)\.\d+-/.exec(lines.find((line) => line.startsWith('FROM')) ?? '') ?? [];
    const { engines } = JSON.parse(fileAt('package.json'));
    const [, leastMajor, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
    expect(Number(major)).toBeGreaterThanOrEqual(Number(leastMajor));
    expect(Number(major) > Number(leastMajor) || Number(minor) >= Number(leastMinor)).toBe(true);
  });

  test('installs what the lock file names, in place, and does not run as root', () => {
    expect(lines).toContain('COPY . .');
    expect(lines).toContain('RUN npm install');
    expect(lines.filter((line) => line.startsWith('USER'))).toEqual(['USER node']);
    expect(fileAt('deploy/Dockerfile.dockerignore').split('\n')).toContain('**/node_modules');
  });
});

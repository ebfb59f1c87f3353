import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { commandSchema, eventSchema } from '@retrigger/contract/avro-schemas.ts';
import { openSchemaRegistry } from '@retrigger/contract/schema-registry.ts';
import { expect, test } from 'vitest';
import { logOptions, openLog } from './open-log.ts';
import { sampleEvent } from './sample-event.ts';
import { addresses } from './servers.ts';

const registryUrl = async (): Promise<string> => (await addresses()).get('RETRIGGER_SCHEMA_REGISTRY_URL') ?? '';

async function openRegistry() {
  const opened = await openSchemaRegistry({ url: await registryUrl(), login: null });
  if (opened.kind !== 'open') throw new Error(opened.message);
  return opened.avro;
}

test('many processes that start at once register the same schemas', async () => {
  const opened = await Promise.all([1, 2, 3, 4].map(openRegistry));
  const ids = opened.map(({ events }) => Buffer.from(events.encode(sampleEvent())).readInt32BE(1));
  expect(new Set(ids).size).toBe(1);
  const url = await registryUrl();
  for (const { subject } of [eventSchema, commandSchema]) {
    const config = (await (await fetch(`${url}/config/${subject}`)).json()) as { compatibilityLevel: string };
    expect(config.compatibilityLevel).toBe('FULL_TRANSITIVE');
  }
});

test('an event that another client fetches is read through the registry, without our code', async () => {
  const { events } = await openRegistry();
  const options = await logOptions({ events: 1 });
  const log = await openLog(options);
  const stored = sampleEvent();
  await log.append('events', [{ key: stored.key, value: events.encode(stored), headers: { eventType: stored.event.eventType } }]);
  await log.close();
  const { stdout } = await promisify(execFile)(
    'kcat',
    ['-b', options.connection.brokers.join(','), '-C', '-t', `${options.prefix}events`, '-o', 'beginning', '-e', '-q', '-f', '%k %h %s'],
    { encoding: 'buffer' },
  );
  const head = Buffer.from(`${stored.key} eventType=${stored.event.eventType} `);
  expect(stdout.subarray(0, head.length).toString()).toBe(head.toString());
  const theirs = await new SchemaRegistry({ host: await registryUrl() }).decode(stdout.subarray(head.length));
  expect(theirs).toMatchObject({
    eventId: stored.event.eventId,
    sequence: stored.event.sequence,
    timestamp: Date.parse(stored.event.timestamp),
    actor: stored.event.actor,
    hash: stored.event.hash,
  });
  expect(JSON.parse(theirs.metadata)).toEqual(stored.event.metadata);
});

test('a command that another client wrote is read; one of a schema that nobody registered is not', async () => {
  const { readCommand } = await openRegistry();
  const registry = new SchemaRegistry({ host: await registryUrl() });
  const command = { commandId: 'order-1', type: 'TriggerTask', taskId: 'invoice-7', body: '{}' };
  const value = await registry.encode(await registry.getLatestSchemaId(commandSchema.subject), command);
  expect(await readCommand(value)).toEqual({ kind: 'record', record: command });
  const unknown = Buffer.from(value);
  unknown.writeInt32BE(987_654, 1);
  expect(await readCommand(unknown)).toEqual({ kind: 'undecodable', reason: 'the registry knows no schema 987654' });
});

test('the registry refuses a breaking change of the events', async () => {
  await openRegistry();
  const schema = JSON.parse(eventSchema.text);
  schema.fields = schema.fields.filter(({ name }: { name: string }) => name !== 'commandId');
  const answer = await fetch(`${await registryUrl()}/subjects/${eventSchema.subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  expect(answer.status).toBe(409);
});

test('a registry that is not there is a value that names it', async () => {
  const opened = await openSchemaRegistry({ url: 'http://127.0.0.1:1/apis/ccompat/v7', login: null });
  expect(opened).toMatchObject({ kind: 'cannot_open', message: expect.stringContaining('127.0.0.1:1') });
});

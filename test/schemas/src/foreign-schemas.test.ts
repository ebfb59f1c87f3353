import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { commandSchema } from '@retrigger/contract/avro-schemas.ts';
import { frame } from '@retrigger/contract/registry-framing.ts';
import { type AvroContract, openSchemaRegistry } from '@retrigger/contract/schema-registry.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** A registry that says of every id what a test wants it to say. */
let server: Server;
let says: { status: number; body: unknown };
let avro: AvroContract;

beforeEach(async () => {
  says = { status: 404, body: {} };
  server = createServer((request, response) => {
    const isAsked = request.url?.startsWith('/schemas/ids/') ?? false;
    response.writeHead(isAsked ? says.status : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isAsked ? says.body : { id: 1, compatibility: 'FULL_TRANSITIVE', compatibilityLevel: 'FULL_TRANSITIVE' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const opened = await openSchemaRegistry({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, login: null });
  if (opened.kind !== 'open') throw new Error(opened.message);
  avro = opened.avro;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const record = { commandId: 'c', type: 'TriggerTask', taskId: 't', body: '{}' };
const framed = frame(7, commandSchema.type.toBuffer(record));
const known = { status: 200, body: { schema: commandSchema.text } };

test.each([
  ['an unknown id', { status: 404, body: {} }],
  ['a schema that is none', { status: 200, body: { schema: '{"type":"nonsense"}' } }],
  [
    'a schema of another language',
    { status: 200, body: { schemaType: 'PROTOBUF', schema: 'syntax = "proto3"; message A { string b = 1; }' } },
  ],
  ['a schema of a language that nobody knows', { status: 200, body: { schemaType: 'NEW', schema: 'x' } }],
])('%s makes a record unreadable, with a reason: nobody who publishes one can hold the others up', async (_, answer) => {
  says = answer;
  expect(await avro.readCommand(framed)).toEqual({ kind: 'undecodable', reason: expect.stringMatching(/schema 7/) });
});

test.each([500, 401, 429])('an answer of %d is the registry’s fault and not the record’s', async (status) => {
  says = { status, body: {} };
  await expect(avro.readCommand(framed)).rejects.toThrow();
  says = known;
  expect(await avro.readCommand(framed)).toEqual({ kind: 'record', record });
});

test('an id that nobody knew is known as soon as it is given out', async () => {
  expect(await avro.readCommand(framed)).toMatchObject({ kind: 'undecodable' });
  says = known;
  expect(await avro.readCommand(framed)).toEqual({ kind: 'record', record });
});

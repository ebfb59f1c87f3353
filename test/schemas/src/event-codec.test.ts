import { fromAvro } from '@retrigger/contract/avro-event.ts';
import { eventSchema } from '@retrigger/contract/avro-schemas.ts';
import { jsonEvents } from '@retrigger/contract/event-codec.ts';
import { avroEvents } from '@retrigger/contract/schema-registry.ts';
import type { Event } from '@retrigger/domain/event.ts';
import { canonicalJson, expectedHash } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleEvent } from './sample-events.ts';
import { goldenRecords, schemaHistory } from './schema-files.ts';

const SCHEMA_ID = 7;
const avroOnly = avroEvents(SCHEMA_ID, async (id) => (id === SCHEMA_ID ? eventSchema.type : undefined));

describe.each([
  ['JSON', jsonEvents],
  ['Avro', avroOnly],
])('events as %s', (_, codec) => {
  test('an event comes back as it was, its hash still right', async () => {
    const stored = sampleEvent();
    const read = await codec.decode(codec.encode(stored));
    expect(read).toEqual({ kind: 'event', event: stored.event });
    expect(read.kind === 'event' && expectedHash(read.event)).toBe(stored.event.hash);
  });

  test('so does every event, whatever JSON its metadata is', async () => {
    const texts = fc.string({ unit: 'grapheme' });
    const metadata = fc.dictionary(texts, fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
    const events = fc.record<Partial<Event>>(
      {
        metadata,
        sequence: fc.integer({ min: 1, max: 2 ** 40 }),
        previousState: fc.option(fc.constantFrom('Draft', 'Failed')),
        newState: fc.option(fc.constantFrom('Running', 'Cancelled')),
        traceparent: texts,
        timestamp: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(events, async (parts) => {
        const { traceparent: _none, ...without } = sampleEvent().event;
        const stored = sampleEvent({ ...without, ...parts });
        const read = await codec.decode(codec.encode(stored));
        expect(read.kind === 'event' && canonicalJson(read.event)).toBe(canonicalJson(stored.event));
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['nothing', ''],
    ['a text', 'hello'],
    ['bytes that are no UTF-8', '{\xff'],
    ['a list', '[]'],
    ['an object that is no event', '{"eventId":"x"}'],
    ['a frame of nothing', '\0\0\0\0\x07'],
    ['a frame of rubbish', '\0\0\0\0\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff'],
    ['a schema that nobody knows', '\0\0\0\0\x09abc'],
  ])('%s is undecodable, with a reason', async (_name, text) => {
    expect(await codec.decode(Buffer.from(text, 'latin1'))).toEqual({ kind: 'undecodable', reason: expect.stringMatching(/./) });
  });
});

test('Avro readers read JSON events too', async () => {
  const stored = sampleEvent();
  expect(await avroOnly.decode(jsonEvents.encode(stored))).toEqual({ kind: 'event', event: stored.event });
});

test('an event that was cut off or has a tail is undecodable', async () => {
  const whole = avroOnly.encode(sampleEvent());
  for (const value of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.from('x')])])
    expect(await avroOnly.decode(value)).toMatchObject({ kind: 'undecodable', reason: `the value is not what schema ${SCHEMA_ID} says` });
});

test('a record of a schema that ours can’t read is undecodable, not another event', async () => {
  const foreign = avro.Type.forSchema({ type: 'record', name: 'Event', namespace: 'retrigger', fields: [{ name: 'x', type: 'string' }] });
  const codec = avroEvents(1, async () => foreign);
  expect(await codec.decode(Buffer.from('\0\0\0\0\x02\x02a', 'latin1'))).toMatchObject({
    kind: 'undecodable',
    reason: expect.stringContaining('not compatible'),
  });
});

test('a registry that can’t be asked is no fault of the record', async () => {
  const codec = avroEvents(1, () => Promise.reject(new Error('ECONNREFUSED')));
  await expect(codec.decode(codec.encode(sampleEvent()))).rejects.toThrow('ECONNREFUSED');
});

test('the golden event of every version is read as an event whose hash is right', () => {
  const history = schemaHistory('retrigger.events-value').map((schema) => avro.Type.forSchema(schema));
  for (const { avro: hex, version } of goldenRecords('retrigger.events-value')) {
    const resolver = eventSchema.type.createResolver(history[version - 1] ?? eventSchema.type);
    const event = fromAvro(eventSchema.type.fromBuffer(Buffer.from(hex, 'hex'), resolver));
    expect(event && expectedHash(event)).toMatch(/^[0-9a-f]{64}$/);
    expect(event && expectedHash(event)).toBe(event?.hash);
  }
});

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isJsonObject } from '@retrigger/contract/fields.ts';
import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import { deadLetter, UNDELIVERED_HEADERS } from '@retrigger/engine/dead-letters.ts';
import { COMMANDS } from '@retrigger/gateway/command-table.ts';
import { SIGNATURE_HEADERS } from '@retrigger/gateway/kafka-signature.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { Ajv } from 'ajv';
import avro from 'avsc';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const FOLDER = join(import.meta.dirname, '../../../schemas');
const fileAt = (name: string): JsonObject =>
  name.endsWith('.yaml') ? parse(readFileSync(join(FOLDER, name), 'utf8')) : JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
const document = fileAt('asyncapi.yaml');

/** What a reference in the document leads to, in it or in a file beside it. */
function resolved(ref: string): Json | undefined {
  const [file = '', pointer = ''] = ref.split('#');
  let found: Json | undefined = file === '' ? document : fileAt(file);
  for (const step of pointer.split('/').slice(1)) found = isJsonObject(found) ? found[step] : undefined;
  return found;
}

/** The value at a path, through references. */
function at(path: string, from: Json | undefined = document): Json | undefined {
  let found: Json | undefined = from;
  for (const step of path.split(' ')) {
    found = isJsonObject(found) ? found[step] : undefined;
    if (isJsonObject(found) && typeof found.$ref === 'string') found = resolved(found.$ref);
  }
  return found;
}

function references(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === '$ref' && typeof inner === 'string' ? [inner] : references(inner)));
}

/** The names of a message's headers, those of all parts together. */
function headersOf(message: string): string[] {
  const headers = at(`components messages ${message} headers`) as JsonObject;
  const parts = Array.isArray(headers.allOf) ? headers.allOf : [headers];
  return parts
    .map((part) => (isJsonObject(part) && typeof part.$ref === 'string' ? resolved(part.$ref) : part))
    .flatMap((part) => Object.keys((isJsonObject(part) && isJsonObject(part.properties) ? part.properties : {}) as JsonObject))
    .toSorted();
}

describe('schemas/asyncapi.yaml', () => {
  const specs = createRequire(import.meta.url).resolve('@asyncapi/specs');
  const schema = JSON.parse(readFileSync(join(dirname(specs), 'schemas/3.0.0.json'), 'utf8'));
  const isValid = new Ajv({
    meta: false,
    validateSchema: false,
    strict: false,
    validateFormats: false,
    allErrors: true,
    logger: false,
  }).compile(schema);
  const violations = (given: unknown) =>
    isValid(given) ? [] : (isValid.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);

  test('is AsyncAPI 3.0, by the specification’s own schema', () => {
    expect(violations(document)).toEqual([]);
  });

  test('is checked by a schema that refuses a misspelt key and a missing part', () => {
    expect(violations({ ...document, chanels: {} })).not.toEqual([]);
    expect(violations({ ...document, info: {} })).not.toEqual([]);
  });

  test('has no reference that leads nowhere', () => {
    const refs = references(document);
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter((ref) => resolved(ref) === undefined)).toEqual([]);
  });

  test('names the public topics, and none of ours', () => {
    const addresses = ['commands', 'events', 'deadLetters'].map((channel) => at(`channels ${channel} address`));
    expect(addresses).toEqual([TOPICS.commands, TOPICS.events, TOPICS.deadLetters]);
    expect(Object.keys(at('channels') as JsonObject)).toHaveLength(3);
  });

  test('describes values by the very Avro schemas that are registered', () => {
    for (const [message, subject] of [
      ['commandAsAvro', 'retrigger.commands-value'],
      ['event', 'retrigger.events-value'],
    ]) {
      const written = at(`components messages ${message} payload schema`);
      expect(written).toEqual(fileAt(`${subject}.avsc`));
      expect(avro.Type.forSchema(written as avro.Schema).name).toMatch(/^retrigger\.(Command|Event)$/);
    }
  });

  test('has the fields of a command in JSON that it has in Avro', () => {
    const { fields } = fileAt('retrigger.commands-value.avsc') as { fields: { name: string }[] };
    expect(Object.keys(at('components schemas command properties') as JsonObject)).toEqual(fields.map(({ name }) => name));
  });

  test('lists the commands that a door takes, each with the body of its call', () => {
    expect(at('components schemas commandType enum')).toEqual(Object.keys(COMMANDS));
    const said = JSON.stringify(at('components schemas command allOf'));
    for (const type of Object.keys(COMMANDS)) expect(said).toContain(`"${type}"`);
  });

  test('lists the headers of every topic', () => {
    const signed = [...Object.values(SIGNATURE_HEADERS), 'traceparent'].toSorted();
    expect(headersOf('commandAsAvro')).toEqual(signed);
    expect(headersOf('commandAsJson')).toEqual(['content-type', ...signed]);
    expect(headersOf('event')).toEqual(['commandId', 'eventType', 'traceparent']);
    const letter = deadLetter({ topic: 't', partition: 0, offset: 0, at: 0, key: 'k', value: Buffer.alloc(0), headers: {} }, 'why');
    expect(headersOf('deadLetter')).toEqual([...Object.keys(letter.headers), ...UNDELIVERED_HEADERS].toSorted());
  });

  test('says how the records of each topic are keyed', () => {
    const key = (message: string) => new RegExp(String((at(`components messages ${message} bindings kafka key`) as JsonObject).pattern));
    expect(['acme/deploy-42', 'acme', 'acme/a/b', ''].map((text) => key('commandAsJson').test(text))).toEqual([true, true, false, false]);
    expect(['acme/deploy-42', 'acme'].map((text) => key('event').test(text))).toEqual([true, false]);
    expect(key('commandAsAvro')).toEqual(key('commandAsJson'));
  });
});

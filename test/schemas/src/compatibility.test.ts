import type avro from 'avsc';
import { describe, expect, test } from 'vitest';
import { schemaProblems } from './compatibility.ts';
import { currentSchema, goldenRecords, schemaHistory, subjects } from './schema-files.ts';

describe.each(subjects())('%s', (subject) => {
  test('is compatible with all its versions, in both directions', () => {
    expect(schemaProblems(currentSchema(subject), schemaHistory(subject), goldenRecords(subject))).toEqual([]);
  });

  test('has a golden record of every version', () => {
    expect(goldenRecords(subject).map(({ version }) => version)).toEqual(schemaHistory(subject).map((_, index) => index + 1));
  });
});

type Field = { name: string; type: unknown; default?: unknown };
type RecordSchema = avro.Schema & { fields: Field[] };

/** What the check says when the events' schema is changed, and the change is a new version. */
function problemsAfter(change: (schema: RecordSchema) => void): string[] {
  const schema = structuredClone(currentSchema('retrigger.events-value')) as RecordSchema;
  change(schema);
  return schemaProblems(schema, [...schemaHistory('retrigger.events-value'), schema], goldenRecords('retrigger.events-value'));
}

const change = (name: string, parts: Partial<Field>) => (schema: RecordSchema) => {
  schema.fields = schema.fields.map((field) => (field.name === name ? { ...field, ...parts } : field));
};
const remove = (name: string) => (schema: RecordSchema) => {
  schema.fields = schema.fields.filter((field) => field.name !== name);
};

describe('the check', () => {
  test.each([
    ['a new field without a default', (schema: RecordSchema) => schema.fields.push({ name: 'region', type: 'string' }), /^V1.*region/],
    ['another type', change('sequence', { type: 'string' }), /^V1/],
    ['a narrower type', change('sequence', { type: 'int' }), /^V1/],
    ['another name', change('taskId', { name: 'task' }), /^V1.*task/],
    ['a field dropped that others need', remove('commandId'), /^V2.*commandId/],
    ['an enum in place of a text', change('eventType', { type: { type: 'enum', name: 'Kind', symbols: ['TaskCreated'] } }), /^V1/],
    ['null no more allowed', change('newState', { type: 'string', default: '' }), /^V1/],
    ['another record name', (schema: RecordSchema) => Object.assign(schema, { name: 'Happening' }), /^V1/],
  ])('finds %s', (_, planted, complaint) => {
    expect(problemsAfter(planted as (schema: RecordSchema) => void)).toContainEqual(expect.stringMatching(complaint));
  });

  test.each([
    [
      'a new field with a default',
      (schema: RecordSchema) => schema.fields.push({ name: 'region', type: ['null', 'string'], default: null }),
    ],
    ['a field dropped that has a default', remove('traceparent')],
    ['another explanation', change('hash', { doc: 'the digest' } as Partial<Field>)],
  ])('lets %s pass', (_, planted) => {
    expect(problemsAfter(planted as (schema: RecordSchema) => void)).toEqual([]);
  });

  test('V4: finds a change that is no new version', () => {
    const schema = structuredClone(currentSchema('retrigger.events-value')) as RecordSchema;
    schema.fields.push({ name: 'region', type: ['null', 'string'], default: null });
    const problems = schemaProblems(schema, schemaHistory('retrigger.events-value'), []);
    expect(problems).toEqual([expect.stringMatching(/^V4/)]);
  });

  test('V3: finds a golden record that reads otherwise', () => {
    const [golden] = goldenRecords('retrigger.events-value');
    if (golden === undefined) throw new Error('there is no golden record');
    const altered = { ...golden, record: { ...golden.record, sequence: 99 } };
    expect(schemaProblems(currentSchema(golden.subject), schemaHistory(golden.subject), [altered])).toEqual([
      expect.stringMatching(/^V3: sequence/),
    ]);
  });
});

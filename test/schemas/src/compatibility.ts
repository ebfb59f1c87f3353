import { isDeepStrictEqual } from 'node:util';
import avro from 'avsc';
import type { Golden } from './schema-files.ts';

/**
 * What is wrong with a schema beside all that were before it; empty when everybody goes on reading everybody's records.
 * V1: it reads the records of every older version. V2: a reader of any older version reads its records, for consumers are not ours to update.
 * V3: it reads every golden record as what it was, and those of its fields that it does not drop keep their values.
 * V4: the newest version in the history is this schema, so that a change is a new version.
 */
export function schemaProblems(schema: avro.Schema, history: avro.Schema[], golden: Golden[]): string[] {
  const type = avro.Type.forSchema(schema);
  const problems = history.flatMap((older, index) => {
    const olderType = avro.Type.forSchema(older);
    return [
      ...unreadable(type, olderType, `V1: records of version ${index + 1} can't be read`),
      ...unreadable(olderType, type, `V2: readers of version ${index + 1} can't read it`),
    ];
  });
  if (!isDeepStrictEqual(schema, history.at(-1))) problems.push(`V4: it is not version ${history.length}, the newest of the history`);
  return [...problems, ...golden.flatMap((record) => misread(type, history[record.version - 1], record))];
}

function unreadable(reader: avro.Type, writer: avro.Type, what: string): string[] {
  try {
    reader.createResolver(writer);
    return [];
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** V3 */
function misread(type: avro.Type, writer: avro.Schema | undefined, { version, avro: hex, record }: Golden): string[] {
  if (writer === undefined) return [`V3: the golden record of version ${version} has no schema in the history`];
  try {
    const read = type.fromBuffer(Buffer.from(hex, 'hex'), type.createResolver(avro.Type.forSchema(writer)));
    return Object.entries(record).flatMap(([field, value]) =>
      field in read && !isDeepStrictEqual(plain(read[field]), value)
        ? [`V3: ${field} of the golden record of version ${version} reads ${JSON.stringify(read[field])}`]
        : [],
    );
  } catch (error) {
    return [`V3: the golden record of version ${version} can't be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** Records are instances of classes of their own; what counts is their fields. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

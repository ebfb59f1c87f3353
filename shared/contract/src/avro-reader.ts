import type avro from 'avsc';
import { unframe } from './registry-framing.ts';

/** The schema of an id; undefined when the registry knows none. Rejects when the registry can't be asked. */
export type FindSchema = (schemaId: number) => Promise<avro.Type | undefined>;

export type ReadRecord<T> = { kind: 'record'; record: T } | { kind: 'undecodable'; reason: string };

type Resolved = { kind: 'resolver'; resolver: avro.Resolver } | { kind: 'undecodable'; reason: string };

/** Of ids that came from outside; forgotten all at once when there are more. An id that nobody knows is not remembered: it may be given out next. */
const MOST_REMEMBERED = 1_000;

/**
 * Reads framed records written under any schema that ours can read.
 * KafkaJS's registry client would make a new resolver for each record (45 µs instead of 5 for an event of 600 bytes); here there is one for each schema id.
 */
export function avroReader<T>(type: avro.Type, findSchema: FindSchema): (value: Uint8Array) => Promise<ReadRecord<T>> {
  const resolved = new Map<number, Resolved>();

  async function resolve(schemaId: number): Promise<Resolved> {
    const known = resolved.get(schemaId);
    if (known !== undefined) return known;
    const writer = await findSchema(schemaId);
    if (writer === undefined) return undecodable(`the registry knows no schema ${schemaId}`);
    const found = resolverOf(type, writer, schemaId);
    if (resolved.size >= MOST_REMEMBERED) resolved.clear();
    resolved.set(schemaId, found);
    return found;
  }

  return async (value) => {
    const framed = unframe(value);
    if (framed === undefined) return undecodable('the value is not in registry framing');
    const found = resolved.get(framed.schemaId) ?? (await resolve(framed.schemaId));
    if (found.kind === 'undecodable') return found;
    try {
      return { kind: 'record', record: type.fromBuffer(framed.body, found.resolver) as T };
    } catch {
      return undecodable(`the value is not what schema ${framed.schemaId} says`);
    }
  };
}

function resolverOf(type: avro.Type, writer: avro.Type, schemaId: number): Resolved {
  try {
    return { kind: 'resolver', resolver: type.createResolver(writer) };
  } catch {
    return undecodable(`schema ${schemaId} is not compatible with ${type.name ?? 'ours'}`);
  }
}

const undecodable = (reason: string) => ({ kind: 'undecodable' as const, reason });

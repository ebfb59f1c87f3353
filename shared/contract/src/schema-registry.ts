import { setTimeout } from 'node:timers/promises';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import type avro from 'avsc';
import { type AvroEvent, fromAvro, toAvro } from './avro-event.ts';
import { avroReader, type FindSchema, type ReadRecord } from './avro-reader.ts';
import { commandSchema, eventSchema, type NamedSchema } from './avro-schemas.ts';
import { type EventCodec, readJsonEvent, undecodable } from './event-codec.ts';
import { frame } from './registry-framing.ts';

/** A command of the public topic, its body still JSON text. */
export type AvroCommand = { commandId: string; type: string; taskId: string | null; body: string };

export type RegistryOptions = {
  /** Where the registry's Confluent API answers. */
  url: string;
  /** Null = no login. */
  login: { username: string; password: string } | null;
};

export type AvroContract = {
  events: EventCodec;
  /** Rejects when the registry can't be asked; what can't be read is a value. */
  readCommand(value: Uint8Array): Promise<ReadRecord<AvroCommand>>;
};

/** Registers our schemas, which finds them when they are there already. A registry that can't be reached, or that refuses them, is a value. */
export async function openSchemaRegistry({
  url,
  login,
}: RegistryOptions): Promise<{ kind: 'open'; avro: AvroContract } | { kind: 'cannot_open'; message: string }> {
  const registry = new SchemaRegistry({ host: url, clientId: 'retrigger', ...(login === null ? {} : { auth: login }) });
  try {
    const eventsId = await register(registry, eventSchema);
    await register(registry, commandSchema);
    const find = finder(registry);
    const avro = { events: avroEvents(eventsId, find), readCommand: avroReader<AvroCommand>(commandSchema.type, find) };
    return { kind: 'open', avro };
  } catch (error) {
    return {
      kind: 'cannot_open',
      message: `the schema registry at ${url} can't be used: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Processes that start at once may each find that another has just made the same subject; the next try finds it made. */
const TRIES = 5;
const PAUSE_MS = 200;

/** Readers of old records and readers with old schemas must both go on, in any order of deploys: FULL_TRANSITIVE. */
async function register(registry: SchemaRegistry, { subject, text }: NamedSchema): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      const schema = { type: SchemaType.AVRO, schema: text } as const;
      return (await registry.register(schema, { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE })).id;
    } catch (error) {
      if (tries === TRIES) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

/** What the registry has and the library can't read (an error that is no answer's) is as good as unknown: asking again would not change it. */
function finder(registry: SchemaRegistry): FindSchema {
  return async (schemaId) => {
    try {
      return (await registry.getSchema(schemaId)) as avro.Type;
    } catch (error) {
      if (error instanceof Error && 'status' in error && error.status !== 404) throw error;
      return undefined;
    }
  };
}

/**
 * Events as Avro under this schema id. JSON is read too, for what stands in a topic that was filled by the embedded profile.
 */
export function avroEvents(schemaId: number, findSchema: FindSchema): EventCodec {
  const read = avroReader<AvroEvent>(eventSchema.type, findSchema);
  return {
    encode: ({ event }) => frame(schemaId, eventSchema.type.toBuffer(toAvro(event))),
    async decode(value) {
      if (value[0] === OPENING_BRACE) return readJsonEvent(value);
      const found = await read(value);
      if (found.kind === 'undecodable') return found;
      const event = fromAvro(found.record);
      return event === undefined ? undecodable('the metadata or what was sealed is no JSON object') : { kind: 'event', event };
    },
  };
}

const OPENING_BRACE = 0x7b;

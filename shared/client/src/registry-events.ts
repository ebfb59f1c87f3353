import type { EventCodec } from '@retrigger/contract/event-codec.ts';
import { avroEvents } from '@retrigger/contract/schema-registry.ts';
import avro from 'avsc';
import type { TaskEvent } from './types.ts';

/** An event in a record of the events topic; undefined when it can't be read. Rejects when the registry can't be asked. */
export type DecodeEvent = (value: Buffer) => Promise<TaskEvent | undefined>;

/**
 * Reads events as a cluster writes them: Avro in registry framing. `url` is the registry's Confluent API, a login may be part of it. Only reads from the
 * registry, each schema once.
 */
export function registryEvents(url: string): DecodeEvent {
  const { origin, pathname, username, password } = new URL(url);
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers = username === '' ? {} : { authorization: `Basic ${login}` };
  const find = async (schemaId: number): Promise<avro.Type | undefined> => {
    const response = await fetch(`${origin}${pathname.replace(/\/$/, '')}/schemas/ids/${schemaId}`, { headers });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`the schema registry answered ${response.status}`);
    const { schema } = (await response.json()) as { schema: string };
    return avro.Type.forSchema(JSON.parse(schema));
  };
  return decoderOf(avroEvents(0, find));
}

/** Reads events with a codec of the contract. */
export const decoderOf =
  ({ decode }: Pick<EventCodec, 'decode'>): DecodeEvent =>
  async (value) => {
    const read = await decode(value);
    return read.kind === 'event' ? (read.event as unknown as TaskEvent) : undefined;
  };

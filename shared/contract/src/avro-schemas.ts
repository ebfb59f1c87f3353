import { readFileSync } from 'node:fs';
import avro from 'avsc';

const SCHEMAS = new URL('../../../schemas/', import.meta.url);

/** A schema file of `schemas/`, and the type that it describes. The file's name without its end is the registry's subject. */
export type NamedSchema = { subject: string; text: string; type: avro.Type };

function load(subject: string): NamedSchema {
  const text = readFileSync(new URL(`${subject}.avsc`, SCHEMAS), 'utf8');
  return { subject, text, type: avro.Type.forSchema(JSON.parse(text)) };
}

export const eventSchema = load('retrigger.events-value');
export const commandSchema = load('retrigger.commands-value');

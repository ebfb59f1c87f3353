import { createHmac } from 'node:crypto';
import { commandSchema } from '@retrigger/contract/avro-schemas.ts';
import { frame } from '@retrigger/contract/registry-framing.ts';
import type { AvroCommand } from '@retrigger/contract/schema-registry.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import { type NewRecord, TOPICS } from '@retrigger/ports/log.ts';

export const PEOPLE: [user: string, tenant: string, role: Role][] = [
  ['ann', 'acme', 'admin'],
  ['otto', 'acme', 'operator'],
  ['vera', 'acme', 'viewer'],
  ['bob', 'other', 'admin'],
];

export const keyOf = (user: string): string => `the-api-key-of-${user}`;
export const secretOf = (user: string): string => `the-signing-secret-of-${user}`;
/** Under this id the schema registry of these tests knows the schema of commands. */
export const SCHEMA_ID = 7;

/** What a test wants to be different about a record; null leaves a header out. */
export type Signing = {
  as?: string;
  key?: string;
  at?: string | number;
  secret?: string;
  topic?: string;
  headers?: { [name: string]: string | null };
  avro?: boolean;
};

export type Sent = { commandId: string; type: string; taskId?: string | null; body: JsonObject };

/** A signed record, made as the README's shell lines make it. */
export function signed(command: Sent | Buffer, { as = 'ann', at = Date.now(), avro = false, ...more }: Signing = {}): NewRecord {
  const tenant = PEOPLE.find(([user]) => user === as)?.[1] ?? 'nobody';
  const key = more.key ?? (Buffer.isBuffer(command) || command.taskId == null ? tenant : `${tenant}/${command.taskId}`);
  const value = Buffer.isBuffer(command) ? command : avro ? avroOf(command) : Buffer.from(JSON.stringify(command));
  const timestamp = typeof at === 'string' ? at : new Date(at).toISOString();
  const contentType = avro ? '' : 'application/json';
  const { secret = secretOf(as), topic = TOPICS.commands } = more;
  const lines = `${as}-key\n${timestamp}\n${topic}\n${key}\n${contentType}\n`;
  const headers: { [name: string]: string | null } = {
    'retrigger-key-id': `${as}-key`,
    'retrigger-timestamp': timestamp,
    'retrigger-signature': createHmac('sha256', secret)
      .update(Buffer.concat([Buffer.from(lines), value]))
      .digest('hex'),
    ...(avro ? {} : { 'content-type': contentType }),
    ...more.headers,
  };
  const kept = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null);
  return { key, value, headers: Object.fromEntries(kept) };
}

const avroOf = ({ commandId, type, taskId = null, body }: Sent): Buffer =>
  Buffer.from(frame(SCHEMA_ID, commandSchema.type.toBuffer({ commandId, type, taskId, body: JSON.stringify(body) } satisfies AvroCommand)));

import type { ReadRecord } from '@retrigger/contract/avro-reader.ts';
import { check } from '@retrigger/contract/field-errors.ts';
import { id, isJsonObject, optional, taskId } from '@retrigger/contract/fields.ts';
import type { AvroCommand } from '@retrigger/contract/schema-registry.ts';
import { MAX_BODY_BYTES, MAX_DEPTH, parseStrictJson, type StrictJson } from '@retrigger/contract/strict-json.ts';
import { type Fingerprint, fingerprint } from '@retrigger/domain/idempotency.ts';
import { derive, taskOfExecution } from '@retrigger/domain/identifiers.ts';
import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { z } from 'zod';
import {
  type Circumstances,
  COMMANDS,
  type CommandCall,
  type DoorCommand,
  executionProblem,
  isDoorCommand,
  validBody,
  type Work,
  workOf,
} from './command-table.ts';
import { isProblem } from './exchange.ts';
import { invalid, type Problem } from './problem.ts';
import { isJsonType } from './request-body.ts';

/** A command as other systems publish it. `body` is that of the HTTP call which does the same; for executions with `executionId`. */
export type SentCommand = { commandId: string; type: DoorCommand; taskId: string | null; body: JsonObject };

export type SentRecord = { kind: 'command'; command: SentCommand } | { kind: 'unreadable'; reason: string };

/** Reads a value in registry framing. Rejects when the registry can't be asked. */
export type ReadAvroCommand = (value: Uint8Array) => Promise<ReadRecord<AvroCommand>>;

/** What stands around a body: an id, a type, a task's id and their names. */
const ENVELOPE_BYTES = 1_024;
const RECORD_BOUNDS = { maxBytes: MAX_BODY_BYTES + ENVELOPE_BYTES, maxDepth: MAX_DEPTH + 1 };

const envelope = z.strictObject({
  commandId: id,
  type: z.string().refine(isDoorCommand, 'is no command that a door takes'),
  taskId: optional(taskId.nullable()),
  body: z.custom<JsonObject>(isJsonObject, 'must be an object'),
});

/** What a record says. Never throws for what is in it; rejects when the schema registry can't be asked. */
export async function readSentCommand({ value, headers }: LogRecord, readAvro: ReadAvroCommand): Promise<SentRecord> {
  const read = isJsonType(headers['content-type']) ? jsonOf(parseStrictJson(value, RECORD_BOUNDS)) : await avroOf(value, readAvro);
  if (read.kind === 'unreadable') return read;
  if (!isJsonObject(read.value)) return unreadable('the value must be an object');
  const checked = check(envelope, read.value);
  if (checked.kind === 'invalid') return unreadable(checked.errors.map(({ path, message }) => `${path} ${message}`).join('; '));
  const { commandId, type, taskId = null, body } = checked.value;
  const bodyBytes = value.byteLength <= MAX_BODY_BYTES ? 0 : Buffer.byteLength(JSON.stringify(body));
  if (bodyBytes > MAX_BODY_BYTES) return tooLarge(bodyBytes);
  if (COMMANDS[type].about === 'task' && taskId === null) return unreadable(`${type} needs a taskId`);
  return { kind: 'command', command: { commandId, type, taskId, body } };
}

type ReadValue = { kind: 'value'; value: Json } | { kind: 'unreadable'; reason: string };

const tooLarge = (bytes: number) => unreadable(`the body is ${bytes} bytes long; a body has at most ${MAX_BODY_BYTES}`);

function jsonOf(parsed: StrictJson, what = 'the value'): ReadValue {
  if (parsed.kind === 'value') return parsed;
  if (parsed.kind === 'too_large') return tooLarge(parsed.bytes);
  return unreadable(`${what}${parsed.error.path === '' ? '' : `, ${parsed.error.path}`}: ${parsed.error.message}`);
}

async function avroOf(value: Uint8Array, readAvro: ReadAvroCommand): Promise<ReadValue> {
  const read = await readAvro(value);
  if (read.kind === 'undecodable')
    return unreadable(looksLikeJson(value) ? `${read.reason}; JSON needs the header content-type: application/json` : read.reason);
  const { commandId, type, taskId, body } = read.record;
  const parsed = jsonOf(parseStrictJson(Buffer.from(body)), 'the body');
  return parsed.kind === 'value' ? { kind: 'value', value: { commandId, type, taskId, body: parsed.value } } : parsed;
}

/** A framed value begins with a zero byte. */
const looksLikeJson = (value: Uint8Array): boolean => value[0] === '{'.charCodeAt(0);

const LONGEST_REASON = 500;
const unreadable = (reason: string) => ({ kind: 'unreadable' as const, reason: reason.slice(0, LONGEST_REASON) });

/**
 * The id that a sender's commandId stands for on the work log and in events: theirs alone, and none that another door or user can have. They find the
 * command under either.
 */
export const kafkaCommandId = ({ tenantId, userId }: { tenantId: string; userId: string }, commandId: string): string =>
  derive('kafka', tenantId, userId, commandId);

/** All of a command binds its id, not the body alone. */
export const sentFingerprint = ({ type, taskId, body }: SentCommand): Fingerprint =>
  fingerprint({ type, taskId, ...Object.fromEntries(Object.entries(body).map(([name, value]) => [`body.${name}`, value])) });

type Found = { work: Work; cost: number } | Problem;

/** What a command asks for and costs, by the table that HTTP calls go by; or what is wrong with it. Its commandId here is the derived one. */
export async function workOfSent({ type, taskId, body }: SentCommand, circumstances: Circumstances): Promise<Found> {
  const call: CommandCall<unknown> = COMMANDS[type];
  if (call.about === 'execution') return ofExecution(call, taskId, body, circumstances);
  if (call.about === 'bulk')
    return taskId === null ? ofBody(call, '', body, circumstances) : invalid('taskId', 'goes into the body of a bulk');
  if (call.about === 'task') return ofBody(call, taskId ?? '', body, circumstances);
  if (taskId !== null && body.taskId !== undefined && body.taskId !== taskId)
    return invalid('taskId', `must be that of the command, ${taskId}, or be left out`);
  return ofBody(call, '', taskId === null ? body : { ...body, taskId }, circumstances);
}

async function ofExecution(
  call: CommandCall<unknown>,
  taskId: string | null,
  { executionId, ...body }: JsonObject,
  circumstances: Circumstances,
): Promise<Found> {
  if (typeof executionId !== 'string') return invalid('executionId', 'must be the id of an execution');
  const problem = executionProblem(executionId);
  if (problem !== undefined) return problem;
  const found = await ofBody(call, executionId, body, circumstances);
  if (isProblem(found) || taskId === null || taskId === taskOfExecution(executionId)) return found;
  return invalid('executionId', `is no execution of ${taskId}`);
}

async function ofBody(call: CommandCall<unknown>, subject: string, given: Json, circumstances: Circumstances): Promise<Found> {
  const checked = validBody(call.schema, given);
  return isProblem(checked) ? checked : workOf(call, subject, checked.body, circumstances);
}

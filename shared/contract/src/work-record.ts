import { isUtf8 } from 'node:buffer';
import type { Command } from '@retrigger/domain/command.ts';
import { ID_PATTERN, taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { ROLES } from '@retrigger/domain/permissions.ts';
import type { TaskCommandBody, TaskCommandType } from '@retrigger/domain/task/commands.ts';
import { z } from 'zod';
import { conditionsSchema } from './conditions-schema.ts';
import { isJsonObject, optional } from './fields.ts';
import { scheduleSchema } from './schedule-schema.ts';
import { placeOf } from './strict-json.ts';

/** A record of the work log, as the log takes it. */
export type WorkRecord = { key: string; value: Uint8Array; headers: { [name: string]: string } };

export type DecodedWork = { kind: 'command'; command: Command } | { kind: 'undecodable'; reason: string };

const id = z.string().regex(ID_PATTERN);
const text = z.string();
const object = z.custom<JsonObject>(isJsonObject);
const json = z.custom<JsonObject[string]>(() => true);
const flag = z.boolean();

const target = z.strictObject({ url: text, method: optional(text), headers: optional(z.record(text, text)), timeout: optional(text) });

/** What both creating and changing a task may set. */
const settings = {
  dependencies: optional(z.array(id)),
  context: optional(object),
  retry: optional(
    z.strictObject({
      maxAttempts: optional(z.int()),
      baseDelay: optional(text),
      maxDelay: optional(text),
      jitter: optional(z.enum(['none', 'full', 'equal'])),
    }),
  ),
  deadline: optional(text),
  critical: optional(flag),
  estimatedDuration: optional(text),
  onMissed: optional(z.enum(['fire', 'skip'])),
};

/**
 * The shape of every body, for whoever reads the log. The doors have checked contents and sizes (task-bodies.ts); here only what a decider relies on is
 * checked again, so that no record can stop a worker.
 */
const BODIES = {
  CreateTask: z.strictObject({
    type: id,
    ...settings,
    target: optional(target),
    schedule: optional(scheduleSchema),
    sensitive: optional(flag),
  }),
  ChangeTask: z.strictObject({
    ...settings,
    target: optional(target.nullable()),
    deadline: optional(text.nullable()),
    estimatedDuration: optional(text.nullable()),
  }),
  TriggerTask: z.strictObject({ context: optional(object), triggerReason: optional(text), conditions: optional(conditionsSchema) }),
  RescheduleTask: z.strictObject({
    schedule: scheduleSchema,
    context: optional(object),
    force: optional(flag),
    cascade: optional(flag),
    reason: optional(text),
  }),
  CancelTask: z.strictObject({ reason: optional(text) }),
  ClaimExecution: z.strictObject({ claim: id }),
  StartExecution: z.strictObject({ executionId: text }),
  HeartbeatExecution: z.strictObject({ executionId: text }),
  CompleteExecution: z.strictObject({ executionId: text, result: optional(json) }),
  FailExecution: z.strictObject({
    executionId: text,
    error: z.strictObject({ code: text, message: text }),
    retryable: optional(flag),
  }),
  Wake: z.strictObject({ wakeAt: z.number(), silentSince: z.number().nullable() }),
  Check: z.strictObject({}),
  ConfirmDependencies: z.strictObject({ proposal: text }),
  ResetTask: z.strictObject({ cascadeId: text, root: id, sequence: z.int() }),
  EraseData: z.strictObject({ subject: z.enum(['user', 'task']), token: text.nullable() }),
} satisfies { [T in TaskCommandType]: z.ZodType<Extract<TaskCommandBody, { type: T }>['body']> };

const header = {
  commandId: id,
  tenantId: id,
  taskId: id,
  actor: z.strictObject({ id, type: z.enum(['user', 'system', 'executor']) }),
  roles: z.array(z.enum(ROLES)),
  denied: optional(text),
  correlationId: text,
  traceparent: optional(text),
  fingerprint: optional(z.record(text, text)),
  replyTo: optional(text),
  answersTo: optional(text),
};

const SCHEMAS = new Map<string, z.ZodType>(
  Object.entries(BODIES).map(([type, body]) => [type, z.strictObject({ ...header, type: z.literal(type), body })]),
);

/** The record of a command: keyed by its task, so that one task's commands stand in order. */
export function encodeWork(command: Command): WorkRecord {
  return {
    key: taskKey(command.tenantId, command.taskId),
    value: Buffer.from(JSON.stringify(command)),
    headers: command.traceparent === undefined ? {} : { traceparent: command.traceparent },
  };
}

/** The command in a record. Never throws; the reason is for people. */
export function decodeWork({ value }: { value: Uint8Array }): DecodedWork {
  if (!isUtf8(value)) return undecodable('the value is not valid UTF-8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'));
  } catch (error) {
    return undecodable(`the value is not JSON${placeOf(error)}`);
  }
  if (!isJsonObject(parsed)) return undecodable('the value is not an object');
  const schema = typeof parsed.type === 'string' ? SCHEMAS.get(parsed.type) : undefined;
  if (schema === undefined) return undecodable(`unknown command type ${JSON.stringify(parsed.type)?.slice(0, 100)}`);
  const checked = schema.safeParse(parsed);
  if (checked.success) return { kind: 'command', command: checked.data as Command };
  const [issue] = checked.error.issues;
  return undecodable(`${parsed.type}: ${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'invalid'}`);
}

/** Whose command a record of our own holds, without the checks: cheap enough for a million. Undefined when it is none. */
export function senderOf({ value }: { value: Uint8Array }): Pick<Command, 'tenantId' | 'taskId' | 'actor'> | undefined {
  try {
    const { tenantId, taskId, actor } = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'));
    return typeof tenantId === 'string' && typeof taskId === 'string' && typeof actor?.id === 'string'
      ? { tenantId, taskId, actor }
      : undefined;
  } catch {
    return undefined;
  }
}

const undecodable = (reason: string): DecodedWork => ({ kind: 'undecodable', reason });

import { MAX_AHEAD_MS } from '@retrigger/domain/duration.ts';
import type { ChangeTaskBody, CreateTaskBody } from '@retrigger/domain/task/commands.ts';
import { z } from 'zod';
import { conditionsSchema } from './conditions-schema.ts';
import { context, duration, durationBetween, id, optional, taskId, text } from './fields.ts';
import { rescheduleExtras, scheduleSchema, scheduleSchemaWith } from './schedule-schema.ts';

const MAX_TARGET_URL = 2_048;
const MAX_TARGET_HEADERS = 64;
const MAX_HEADER_VALUE = 4_096;
const MAX_DEPENDENCIES = 1_000;
const MAX_ATTEMPTS = 1_000;

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;
/** Headers that belong to the connection or to us. */
const OUR_HEADERS =
  /^(host|connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|expect|content-length|content-type|content-encoding|webhook-.*|traceparent)$/i;

function isCallable(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.username === '' && parsed.password === '';
}

const headers = z
  .record(
    z.string().regex(HEADER_NAME, 'is no header name'),
    z.string().max(MAX_HEADER_VALUE).regex(HEADER_VALUE, 'must be printable ASCII'),
  )
  .refine((given) => Object.keys(given).length <= MAX_TARGET_HEADERS, `at most ${MAX_TARGET_HEADERS} headers`)
  .refine((given) => !Object.keys(given).some((name) => OUR_HEADERS.test(name)), 'has a header that is not the caller’s to set')
  .meta({ description: 'Sent with every call; not those of the connection, nor `content-type`, `traceparent` and `webhook-*`' });

export const target = z
  .strictObject({
    url: z.string().max(MAX_TARGET_URL).refine(isCallable, 'must be an http or https URL without credentials').meta({ format: 'uri' }),
    method: optional(z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).meta({ description: 'POST when absent' })),
    headers: optional(headers),
    timeout: optional(durationBetween(1, MAX_AHEAD_MS).meta({ description: '30s when absent' })),
  })
  .meta({ id: 'Target', description: 'Where an execution is sent by HTTP' });

export const retry = z
  .strictObject({
    maxAttempts: optional(z.int().min(1).max(MAX_ATTEMPTS)),
    baseDelay: optional(durationBetween(0, MAX_AHEAD_MS)),
    maxDelay: optional(durationBetween(0, MAX_AHEAD_MS)),
    jitter: optional(z.enum(['none', 'full', 'equal'])),
  })
  .meta({ id: 'RetryPolicy', description: 'Defaults: 1 attempt (no automatic retry), 1s, 24h, full' });

/** What both creating and changing a task may set. */
const settings = {
  dependencies: optional(
    z
      .array(id)
      .max(MAX_DEPENDENCIES)
      .refine((ids) => new Set(ids).size === ids.length, 'names a task twice')
      .meta({ description: 'Ids of existing tasks of the tenant' }),
  ),
  context: optional(context),
  retry: optional(retry),
  critical: optional(z.boolean()),
  onMissed: optional(
    z
      .enum(['fire', 'skip'], { error: 'must be "fire" or "skip"' })
      .meta({ description: 'What becomes of a run whose time has passed while nobody could start it: late (the default), or left out' }),
  ),
};

const orNull = <T extends z.ZodType>(schema: T) => optional(schema.nullable().meta({ description: 'null takes it away' }));

export const createTask = z
  .strictObject({
    taskId: optional(taskId),
    type: id,
    ...settings,
    target: optional(target),
    deadline: optional(duration),
    sensitive: optional(z.boolean()),
    estimatedDuration: optional(duration),
    schedule: optional(scheduleSchema),
  })
  .meta({ id: 'CreateTask' }) satisfies z.ZodType<CreateTaskBody>;

/** A patch: what is absent stays. `retry` is taken field by field. */
export const changeTask = z
  .strictObject({ ...settings, target: orNull(target), deadline: orNull(duration), estimatedDuration: orNull(duration) })
  .meta({ id: 'ChangeTask' }) satisfies z.ZodType<ChangeTaskBody>;

export const triggerTask = z
  .strictObject({ context: optional(context), triggerReason: optional(text), conditions: optional(conditionsSchema) })
  .meta({ id: 'TriggerTask' });

export const rescheduleTask = scheduleSchemaWith({ context: optional(context), ...rescheduleExtras }).meta({ id: 'RescheduleTask' });

export const cancelTask = z.strictObject({ reason: optional(text) }).meta({ id: 'CancelTask' });

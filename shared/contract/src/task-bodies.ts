import { MAX_AHEAD_MS } from '@retrigger/domain/duration.ts';
import type { CreateTaskBody } from '@retrigger/domain/task/commands.ts';
import { z } from 'zod';
import { context, duration, durationBetween, id, optional, taskId, text } from './fields.ts';

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

export const createTask = z
  .strictObject({
    taskId: optional(taskId),
    type: id,
    dependencies: optional(
      z
        .array(id)
        .max(MAX_DEPENDENCIES)
        .refine((ids) => new Set(ids).size === ids.length, 'names a task twice')
        .meta({ description: 'Ids of existing tasks of the tenant' }),
    ),
    context: optional(context),
    target: optional(target),
    retry: optional(retry),
    deadline: optional(duration),
    critical: optional(z.boolean()),
    sensitive: optional(z.boolean()),
    estimatedDuration: optional(duration),
  })
  .meta({ id: 'CreateTask' }) satisfies z.ZodType<CreateTaskBody>;

export const triggerTask = z.strictObject({ context: optional(context), triggerReason: optional(text) }).meta({ id: 'TriggerTask' });

export const cancelTask = z.strictObject({ reason: optional(text) }).meta({ id: 'CancelTask' });

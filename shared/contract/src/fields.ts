import { formatDuration, MAX_AHEAD_MS, parseDuration } from '@retrigger/domain/duration.ts';
import { ID_PATTERN, TENANT_STREAM } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { z } from 'zod';

/** A `context` or `result`, as UTF-8 JSON. */
export const MAX_DATA_BYTES = 262_144;
/** Reasons and error messages, in characters. */
const MAX_TEXT = 4_096;

/**
 * A field that may be absent. Its type says so exactly; that the check would let `undefined` pass does not matter, for JSON has none.
 */
export const optional = <T extends z.ZodType>(schema: T): z.ZodExactOptional<T> => schema.optional() as unknown as z.ZodExactOptional<T>;

export const isJsonObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Marks an issue that is about size alone, so that a door can tell it from a request that is wrong. */
export const TOO_LARGE = { tooLarge: true } as const;

export const isSmall = (value: unknown): boolean => Buffer.byteLength(JSON.stringify(value)) <= MAX_DATA_BYTES;
export const NOT_SMALL = { error: `is larger than ${MAX_DATA_BYTES} bytes`, params: TOO_LARGE };

export const id = z
  .string()
  .regex(ID_PATTERN, 'must be 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -')
  .meta({ description: '1 to 128 of A-Z a-z 0-9 . _ ~ : @ -' });

/** Two are names of ours, and two mean a folder in every URL, so that no client could ask for such a task. */
const NO_TASKS = new Set(['bulk', TENANT_STREAM, '.', '..']);

export const taskId = id
  .refine((text) => !NO_TASKS.has(text), 'is no task id; any but bulk, ~tenant, . and .. will do')
  .meta({ description: '1 to 128 of A-Z a-z 0-9 . _ ~ : @ -, except `bulk`, `~tenant`, `.` and `..`', example: 'deploy-42' });

/** A duration between two bounds in milliseconds, both included. */
export const durationBetween = (least: number, most: number) =>
  z
    .string()
    .max(40)
    .refine(
      (text) => {
        const ms = parseDuration(text);
        return ms !== undefined && ms >= least && ms <= most;
      },
      `must be a duration such as "200ms", "90s", "5m", "2h", "1d" or "PT5M", from ${formatDuration(least)} to ${formatDuration(most)}`,
    )
    .meta({ description: '`"200ms"`, `"90s"`, `"5m"`, `"2h"`, `"1d"` or ISO 8601 (`"PT5M"`)', example: '5m' });

export const duration = durationBetween(1, MAX_AHEAD_MS);

/** An object of any shape: a task's context. */
export const context = z
  .custom<JsonObject>(isJsonObject, 'must be an object')
  .refine(isSmall, NOT_SMALL)
  .meta({ type: 'object', additionalProperties: true, description: 'Any object, at most 256 KiB' });

/** Any JSON value: what an execution led to. */
export const result = z
  .custom<JsonObject[string]>((value) => value !== undefined)
  .refine(isSmall, NOT_SMALL)
  .meta({ type: ['object', 'array', 'string', 'number', 'boolean', 'null'], description: 'Any JSON value, at most 256 KiB' });

/** A text for people. Characters are code points, as JSON Schema counts them, not the units of UTF-16. */
export const textOf = (most: number, message = `must have at most ${most} characters`) =>
  z
    .string()
    .refine((value) => value.length <= most || (value.length <= 2 * most && [...value].length <= most), message)
    .meta({ maxLength: most });

export const text = textOf(MAX_TEXT);

import type { BulkCommandBody } from '@retrigger/domain/bulk/commands.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { z } from 'zod';
import { conditionsSchema } from './conditions-schema.ts';
import { isJsonObject, optional } from './fields.ts';
import { scheduleSchema } from './schedule-schema.ts';

const id = z.string().regex(ID_PATTERN);
const text = z.string();
const object = z.custom<JsonObject>(isJsonObject);
const json = z.custom<JsonObject[string]>((value) => value !== undefined);

const common = { context: optional(object), triggerReason: optional(text), schedule: optional(scheduleSchema) };

const bulk = z.strictObject({
  ...common,
  allOrNothing: optional(z.boolean()),
  filter: optional(
    z.strictObject({
      status: optional(text),
      type: optional(text),
      owner: optional(text),
      critical: optional(z.boolean()),
      taskIds: optional(z.array(id)),
    }),
  ),
  tasks: z.array(
    z.strictObject({
      taskId: id,
      context: optional(object),
      triggerReason: optional(text),
      conditions: optional(conditionsSchema),
      schedule: optional(scheduleSchema),
    }),
  ),
});

const error = z.strictObject({ code: text, title: text, detail: optional(text), conditions: optional(json) });

const result = z.discriminatedUnion('kind', [
  z.strictObject({ taskId: id, kind: z.literal('accepted'), executionId: optional(text), nextExecution: optional(text) }),
  z.strictObject({ taskId: id, kind: z.literal('refused'), error }),
  z.strictObject({ taskId: id, kind: z.enum(['reserved', 'released']) }),
]);

/** The bodies of a bulk's commands on the work log; see work-record.ts. */
export const BULK_BODIES = {
  BulkTrigger: bulk,
  BulkReschedule: bulk,
  GatherResults: z.strictObject({ results: z.array(result) }),
  AskBulk: z.strictObject({ taskId: id }),
} satisfies { [T in BulkCommandBody['type']]: z.ZodType<Extract<BulkCommandBody, { type: T }>['body']> };

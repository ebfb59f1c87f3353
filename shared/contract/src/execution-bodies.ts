import { z } from 'zod';
import { durationBetween, id, optional, result, text } from './fields.ts';

const MAX_TYPES = 100;
const MAX_WAIT_MS = 30_000;
/** Executions that one claim may ask for. */
export const MAX_CLAIMED = 100;

export const claimExecutions = z
  .strictObject({
    types: z
      .array(id)
      .min(1)
      .max(MAX_TYPES)
      .refine((types) => new Set(types).size === types.length, 'names a type twice')
      .meta({ description: 'Types of tasks' }),
    wait: optional(
      durationBetween(0, MAX_WAIT_MS).meta({
        description: 'How long to wait for one when there is none, up to 30 s; not at all when absent',
      }),
    ),
    max: optional(z.int().min(1).max(MAX_CLAIMED).meta({ description: 'At most so many; the answer is then a list' })),
  })
  .meta({ id: 'ClaimExecutions' });

/** `started` and `heartbeat`. */
export const emptyReport = z.strictObject({}).meta({ id: 'EmptyReport' });

export const completedReport = z.strictObject({ result: optional(result) }).meta({ id: 'CompletedReport' });

export const failedReport = z
  .strictObject({
    error: text.meta({ ...text.meta(), description: 'What went wrong, for people' }),
    retryable: optional(z.boolean().meta({ description: 'false: another attempt would fail too' })),
  })
  .meta({ id: 'FailedReport' });

import { z } from 'zod';
import { optional, text } from './fields.ts';
import { instant } from './task-schema.ts';

export const dropDeadLetter = z
  .strictObject({ reason: text.refine((why) => why !== '', 'must not be empty').meta({ ...text.meta(), minLength: 1 }) })
  .meta({ id: 'DropDeadLetter' });

export const deadLetter = z
  .strictObject({
    id: z.string(),
    kind: z.enum(['command', 'event', 'notification', 'unknown']).meta({ description: 'What was given up' }),
    state: z.enum(['open', 'closed']),
    taskId: optional(z.string()),
    subscriptionId: optional(z.string()),
    sequence: optional(z.int().meta({ description: 'Of the event that a subscriber was to be told' })),
    reason: z.string(),
    attempts: z.int(),
    at: instant.meta({ description: 'When the record was written that was given up' }),
    headers: z.record(z.string(), z.string()),
    bytes: z.string().meta({ description: 'The original bytes, in base64' }),
    history: z
      .array(
        z.strictObject({
          action: z.enum(['redriven', 'dropped']),
          by: z.string(),
          at: instant,
          reason: optional(z.string()),
          commandId: z.string(),
        }),
      )
      .meta({ description: 'Who did what about it, and why' }),
  })
  .meta({ id: 'DeadLetter' });

export const deadLetterPage = z
  .strictObject({
    deadLetters: z.array(deadLetter),
    pageInfo: z.strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() }),
  })
  .meta({ id: 'DeadLetterPage' });

export const closedDeadLetter = z
  .strictObject({ id: z.string(), action: z.enum(['redriven', 'dropped']) })
  .meta({ id: 'ClosedDeadLetter' });

import { z } from 'zod';
import { MAX_TEXT, optional, result } from './fields.ts';

/** `started` and `heartbeat`. */
export const emptyReport = z.strictObject({}).meta({ id: 'EmptyReport' });

export const completedReport = z.strictObject({ result: optional(result) }).meta({ id: 'CompletedReport' });

export const failedReport = z
  .strictObject({
    error: z.string().max(MAX_TEXT).meta({ description: 'What went wrong, for people' }),
    retryable: optional(z.boolean().meta({ description: 'false: another attempt would fail too' })),
  })
  .meta({ id: 'FailedReport' });

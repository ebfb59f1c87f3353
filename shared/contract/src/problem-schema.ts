import { z } from 'zod';

const fieldError = z.strictObject({ path: z.string(), message: z.string() });

/** A problem (RFC 9457), as every refusal is answered. */
export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'Stable; what programs look at' }),
    instance: z.string().meta({ description: 'The command of a changing call, else the path' }),
    errors: z
      .array(fieldError)
      .optional()
      .meta({ description: 'With `invalid_request` and `payload_too_large`: what is wrong with which field' }),
    fields: z.array(z.string()).optional().meta({ description: 'With `idempotency_key_reused`: the fields that differ' }),
  })
  .meta({ id: 'Problem' });

import type { Conditions } from '@retrigger/domain/conditions.ts';
import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import type { Json } from '@retrigger/domain/json.ts';
import { isPointer } from '@retrigger/domain/json-pointer.ts';
import { z } from 'zod';
import { isSmall, NOT_SMALL, optional } from './fields.ts';

const MOST_NAMED = 1_000;

const taskId = z
  .string({ error: 'must be a task id' })
  .regex(ID_PATTERN, { error: 'must be a task id: 1 to 128 of A-Z a-z 0-9 . _ ~ : @ -' })
  .refine((id) => id !== 'bulk', { error: 'must be a task id; bulk is none' });

const LIST = 'a list of 1 to 1,000 different task ids';

const named = z
  .array(taskId)
  .min(1, { error: `must be ${LIST}` })
  .max(MOST_NAMED, { error: `must be ${LIST}` })
  .refine((ids) => new Set(ids).size === ids.length, { error: `must be ${LIST}` });

/** Says which fields a strict object takes, instead of only which one it doesn't. */
export const takes =
  (what: string, fields: readonly string[]) =>
  (issue: { code?: string | undefined; keys?: readonly string[] }): string | undefined =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${issue.keys?.map((key) => JSON.stringify(key)).join(', ')}; ${what} takes ${fields.join(', ')}`
      : issue.code === 'invalid_type'
        ? `must be ${what} with ${fields.join(', ')}`
        : undefined;

const COUNT = 'must be a whole number, 1 or more';

const atLeast = z.strictObject(
  { min: z.int({ error: COUNT }).min(1, { error: COUNT }) },
  { error: takes('dependenciesCompleted', ['min']) },
);

const result = z.strictObject(
  {
    path: z
      .string({ error: 'must be a JSON Pointer such as "/total"' })
      .refine(isPointer, { error: 'must be a JSON Pointer (RFC 6901) such as "/total" or "/items/0/id"; empty is the whole result' })
      .refine(isSmall, NOT_SMALL), // as are results
    equals: z
      .unknown()
      .refine((value) => value !== undefined, { error: 'must be the JSON value to compare with', abort: true })
      .refine(isSmall, NOT_SMALL)
      .meta({ description: 'Any JSON value' }) as unknown as z.ZodType<Json>,
  },
  { error: takes('result', ['path', 'equals']) },
);

const outcome = z
  .strictObject(
    {
      taskId,
      status: z.enum(['Completed', 'Failed'], { error: 'must be "Completed" or "Failed"' }),
      result: optional(result),
    },
    { error: takes('outcome', ['taskId', 'status', 'result']) },
  )
  .refine((value) => value.result === undefined || value.status === 'Completed', {
    path: ['result'],
    error: 'only goes with status "Completed": a failed run has no result',
  });

/** API.md's "Conditions". Whether the named tasks exist is for the worker to say. */
export const conditionsSchema: z.ZodType<Conditions> = z
  .strictObject(
    {
      dependenciesComplete: optional(
        z
          .union([z.literal(true), named], { error: `must be true or ${LIST}` })
          .meta({ description: '`true`: everything in the whole closure of the dependencies is Completed; a list: these are' }),
      ),
      dependenciesCompleted: optional(
        z
          .union([atLeast, named], { error: `must be {"min": n} with n of 1 or more, or ${LIST}` })
          .meta({ description: 'At least so many of the direct dependencies are Completed; a list: these are' }),
      ),
      outcome: optional(outcome.meta({ description: 'A named task has ended so' })),
    },
    { error: takes('conditions', ['dependenciesComplete', 'dependenciesCompleted', 'outcome']) },
  )
  .refine((value) => Object.keys(value).length > 0, {
    error: 'must hold at least one of dependenciesComplete, dependenciesCompleted, outcome',
  })
  .meta({ id: 'Conditions', description: 'Several together must all hold; named tasks must exist' });

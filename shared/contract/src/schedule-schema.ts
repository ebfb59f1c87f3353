import { JITTERS } from '@retrigger/domain/backoff.ts';
import { MAX_AHEAD_MS, parseDuration } from '@retrigger/domain/duration.ts';
import { parseInstant } from '@retrigger/domain/instant.ts';
import { DELAY_UNITS, type Schedule } from '@retrigger/domain/schedule.ts';
import { z } from 'zod';
import { conditionsSchema, takes } from './conditions-schema.ts';
import { optional, textOf } from './fields.ts';

const DURATION = 'must be a duration such as "200ms", "90s", "5m", "2h", "1d" or "PT5M", at most 366 days';

const duration = z
  .string({ error: DURATION })
  .refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= MAX_AHEAD_MS, { error: DURATION });

const unit = z.enum(DELAY_UNITS, { error: `must be one of ${DELAY_UNITS.join(', ')}` });

const count = z.int({ error: 'must be a whole number, 0 or more' }).min(0, { error: 'must be a whole number, 0 or more' });

const text = (what: string) => z.string({ error: what }).min(1, { error: what }).max(200, { error: what });

const instant = z.string({ error: 'must be an ISO 8601 instant' }).refine((value) => parseInstant(value) !== undefined, {
  error: 'must be an ISO 8601 instant with a zone, such as "2030-01-31T09:00:00.000Z"',
});

/** Fields of each strategy beside `strategy`. */
const FIELDS = {
  immediate: {},
  delayed: {
    delay: z.union([duration, z.number().min(0, { error: 'must be 0 or more' })], {
      error: `${DURATION}, or a number of 0 or more with unit`,
    }),
    unit: optional(unit),
  },
  at: { at: instant },
  cron: {
    cron: text('must be a cron expression such as "0 9 * * MON-FRI"'),
    timeZone: optional(text('must be a time zone such as "Europe/Berlin"').meta({ description: 'An IANA name; UTC when absent' })),
  },
  exponential_backoff: {
    baseDelay: duration,
    maxDelay: optional(duration),
    jitter: optional(z.enum(JITTERS, { error: `must be one of ${JITTERS.join(', ')}` })),
    currentRetryCount: optional(count),
  },
  conditional: { conditions: conditionsSchema },
} as const;

const STRATEGIES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];

/**
 * A schedule with further fields beside its own. It checks what can be checked without a clock; the rest (in the past, too far ahead, cron that
 * never fires, unknown zone) is `nextExecution`'s, whose refusals name their field in the same way.
 */
export function scheduleSchemaWith<X extends z.ZodRawShape>(extra: X) {
  const one = <K extends keyof typeof FIELDS>(strategy: K) => {
    const fields = ['strategy', ...Object.keys(FIELDS[strategy]), ...Object.keys(extra)];
    return z.strictObject(
      { strategy: z.literal(strategy), ...FIELDS[strategy], ...extra },
      { error: takes(`a schedule of ${strategy}`, fields) },
    );
  };
  const delayed = one('delayed').refine(hasUnit, { path: ['unit'], error: `is needed beside a number: ${DELAY_UNITS.join(', ')}` });
  return z.discriminatedUnion(
    'strategy',
    [one('immediate'), delayed, one('at'), one('cron'), one('exponential_backoff'), one('conditional')],
    {
      error: (issue) =>
        issue.code === 'invalid_union' ? `must be one of ${STRATEGIES.join(', ')}` : 'must be a schedule: an object with strategy',
    },
  );
}

const hasUnit = (value: object): boolean =>
  !('delay' in value && typeof value.delay === 'number') || ('unit' in value && value.unit !== undefined);

/** A schedule by itself, as creations and bulk calls carry it. */
export const scheduleSchema: z.ZodType<Schedule> = scheduleSchemaWith({}).meta({ id: 'Schedule', description: 'At most 366 days ahead' });

const MAX_REASON = 1_024;

const flag = z.boolean({ error: 'must be true or false' });

/** What a reschedule takes beside its schedule: `scheduleSchemaWith({...rescheduleExtras, context: …})`, the context checked like any other. */
export const rescheduleExtras = {
  force: optional(flag.meta({ description: 'Also when it is Running: the execution is cancelled, its late report is stale' })),
  cascade: optional(flag.meta({ description: 'Arm every downstream task that had a conditional schedule again first' })),
  reason: optional(textOf(MAX_REASON, 'must be a text of at most 1,024 characters')),
};

import { CHANNELS } from '@retrigger/domain/subscription.ts';
import { z } from 'zod';
import { EVENT_TYPES } from './event-schema.ts';
import { id, optional, text } from './fields.ts';
import { instant } from './task-schema.ts';

const MAX_URL = 2_048;
const MAX_ADDRESS = 254;
const MAX_TASKS = 1_000;
/** One address and nothing else: no name, no list, no line break. */
const MAIL_ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

const events = z
  .array(z.enum(EVENT_TYPES, { error: `must be one of ${EVENT_TYPES.join(', ')}` }))
  .min(1, 'names no type; leave it out for all')
  .refine(unique, 'names a type twice')
  .meta({ description: 'All types when absent' });

const tasks = z
  .array(id)
  .min(1, 'names no task; leave it out for all')
  .max(MAX_TASKS)
  .refine(unique, 'names a task twice')
  .meta({ description: 'All tasks when absent; they need not exist yet' });

const url = z
  .string()
  .max(MAX_URL)
  .meta({ format: 'uri', description: 'http or https, without credentials. Of a webhook or slack subscription' });
const to = z
  .string()
  .max(MAX_ADDRESS)
  .regex(MAIL_ADDRESS, 'must be one mail address')
  .meta({ format: 'email', description: 'Of an email subscription' });

export const createSubscription = z
  .strictObject({
    channel: z.enum(CHANNELS, { error: `must be one of ${CHANNELS.join(', ')}` }),
    url: optional(url),
    to: optional(to),
    events: optional(events),
    tasks: optional(tasks),
    criticalOnly: optional(z.boolean().meta({ description: 'Only of tasks that are critical; false when absent' })),
  })
  .superRefine(({ channel, url: given, to: address }, issues) => {
    const [needed, other] = channel === 'email' ? (['to', 'url'] as const) : (['url', 'to'] as const);
    const has = { url: given !== undefined, to: address !== undefined };
    if (!has[needed]) issues.addIssue({ code: 'custom', path: [needed], message: `is needed for ${channel}` });
    if (has[other]) issues.addIssue({ code: 'custom', path: [other], message: `does not go with ${channel}` });
  })
  .meta({ id: 'CreateSubscription' });

export type CreateSubscription = z.infer<typeof createSubscription>;

export const noBody = z.strictObject({}).meta({ id: 'NoBody' });

export const subscription = z
  .strictObject({
    id,
    channel: z.enum(CHANNELS),
    url: optional(z.string()),
    to: optional(z.string()),
    events: z.array(z.string()).nullable().meta({ description: 'null: all types' }),
    tasks: z.array(z.string()).nullable().meta({ description: 'null: all tasks' }),
    criticalOnly: z.boolean(),
    createdAt: instant,
    state: z.enum(['active', 'paused']),
    paused: optional(
      z
        .strictObject({ at: instant, reason: text })
        .meta({ description: 'It kept failing. What is for it is held; a test or a redriven dead letter that arrives resumes it' }),
    ),
    lastTest: optional(z.strictObject({ at: instant, delivered: z.boolean(), reason: optional(text) })),
  })
  .meta({ id: 'Subscription' });

/** Without `state`: no decided answer has one (API.md, Waiting), and it is active. */
export const createdSubscription = subscription
  .omit({ state: true, paused: true, lastTest: true })
  .extend({ secret: optional(z.string().meta({ description: 'Of a webhook, shown this once: `whsec_…`, as in Standard Webhooks' })) })
  .meta({ id: 'CreatedSubscription' });

export const subscriptionList = z.strictObject({ subscriptions: z.array(subscription) }).meta({ id: 'SubscriptionList' });

export const subscriptionTest = z.strictObject({ id, testId: z.string() }).meta({ id: 'SubscriptionTest' });

import { z } from 'zod';
import { id, optional } from './fields.ts';
import { instant } from './task-schema.ts';

/** Every type of event that a task's history can have, now or later. */
export const EVENT_TYPES = [
  'TaskCreated',
  'TaskChanged',
  'TaskTriggered',
  'TaskStarted',
  'TaskCompleted',
  'TaskFailed',
  'TaskRescheduled',
  'TaskCancelled',
  'TaskReserved',
  'TaskReleased',
  'DependenciesProposed',
  'DependenciesChanged',
  'CommandRefused',
  'DataErased',
] as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const actor = z.strictObject({ id, type: z.enum(['user', 'system', 'executor']) });

/** An event as it is shown and as it was hashed. */
export const event = z
  .strictObject({
    eventId: z.string(),
    eventType: z.enum(EVENT_TYPES),
    schemaVersion: z.int(),
    tenantId: id,
    taskId: id,
    sequence: z.int().min(1),
    timestamp: instant,
    actor,
    commandId: z.string(),
    correlationId: z.string(),
    previousState: z.string().nullable(),
    newState: z.string().nullable(),
    metadata: z.looseObject({}),
    traceparent: optional(z.string()),
    previousHash: sha256,
    hash: sha256.meta({
      description:
        'SHA-256 over `previousHash` and the canonical JSON (RFC 8785) of the event without `hash`, and as it is stored: without `sealed`, whose values stand where their pointers say',
    }),
    sealed: optional(
      z.record(z.string(), z.strictObject({ value: z.unknown(), salt: z.string() })).meta({
        description:
          'What is stored where something else is shown, by JSON Pointer. With the salt (base64url) anybody can check that both belong together',
      }),
    ),
  })
  .meta({ id: 'Event' });

const archived = optional(
  z
    .strictObject({ events: z.int(), until: instant })
    .meta({ description: 'Older events that are in an archive: how many, and the instant of the last of them' }),
);

/** A page of a task's history. */
export const eventPage = z
  .strictObject({
    events: z.array(event),
    total: z.int().meta({ description: 'How many events the filter matches' }),
    archived,
    pageInfo: z.strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() }),
  })
  .meta({ id: 'EventPage' });

/** Whether a history is as it was written. */
export const verified = z
  .strictObject({
    valid: z.boolean(),
    checked: z.int().meta({ description: 'How many events, from the first on, are good' }),
    firstBreak: optional(
      z
        .strictObject({ sequence: z.int(), reason: z.string() })
        .meta({ description: 'The first event that was changed, is missing or was put in' }),
    ),
    archived,
  })
  .meta({ id: 'Verified' });

/** What is different between two instants. */
export const taskChanges = z
  .strictObject({
    archived,
    changes: z.array(
      z.strictObject({
        path: z.string().meta({ description: 'A JSON Pointer into the task' }),
        before: z.unknown().meta({ description: 'null: it was not there' }),
        after: z.unknown().meta({ description: 'null: it is not there' }),
        event: z
          .strictObject({ eventId: z.string(), eventType: z.enum(EVENT_TYPES), sequence: z.int(), timestamp: instant, actor })
          .meta({ description: 'The event that gave it its last value' }),
      }),
    ),
  })
  .meta({ id: 'TaskChanges' });

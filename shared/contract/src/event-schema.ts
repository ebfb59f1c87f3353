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
] as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

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
    actor: z.strictObject({ id, type: z.enum(['user', 'system', 'executor']) }),
    commandId: z.string(),
    correlationId: z.string(),
    previousState: z.string().nullable(),
    newState: z.string().nullable(),
    metadata: z.looseObject({}),
    traceparent: optional(z.string()),
    previousHash: sha256,
    hash: sha256.meta({
      description: 'SHA-256 over `previousHash` and the canonical JSON (RFC 8785) of the event without `hash`',
    }),
  })
  .meta({ id: 'Event' });

/** A page of a task's history. */
export const eventPage = z
  .strictObject({
    events: z.array(event),
    total: z.int().meta({ description: 'How many events the filter matches' }),
    pageInfo: z.strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() }),
  })
  .meta({ id: 'EventPage' });

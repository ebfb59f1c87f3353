import { z } from 'zod';
import { id, optional, taskId } from './fields.ts';

/** Whose data: a user's name, or what a sensitive task holds. */
export const erasure = z
  .union([z.strictObject({ userId: id }), z.strictObject({ taskId })], { error: 'must hold either userId or taskId, and nothing else' })
  .meta({ id: 'Erasure' });

/** What an erasure is answered. */
export const erased = z
  .strictObject({
    subject: z.enum(['user', 'task']),
    erased: z.boolean().meta({ description: 'false: there was nothing, or nothing any more' }),
    eventId: optional(z.string().meta({ description: 'The event that tells of it' })),
  })
  .meta({ id: 'Erased' });

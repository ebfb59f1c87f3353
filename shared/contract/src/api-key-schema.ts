import { parseInstant } from '@retrigger/domain/instant.ts';
import { ROLES } from '@retrigger/domain/permissions.ts';
import { z } from 'zod';
import { duration, id, optional } from './fields.ts';

const roles = z
  .array(z.enum(ROLES))
  .min(1)
  .refine((given) => new Set(given).size === given.length, 'names a role twice')
  .meta({ uniqueItems: true });

const instant = z
  .string()
  .max(40)
  .refine((text) => parseInstant(text) !== undefined, 'must be an instant such as 2026-01-31T12:00:00.000Z')
  .meta({ format: 'date-time' });

export const createApiKey = z
  .strictObject({
    tenantId: optional(id.meta({ description: 'The caller’s own when absent; another only by an admin of the tenant `default`' })),
    userId: id,
    roles,
    expiresAt: optional(instant.meta({ description: 'From then on it is refused; never when absent', format: 'date-time' })),
    expiresIn: optional(duration.meta({ description: 'The same as a duration from now', example: '30d' })),
  })
  .refine(({ expiresAt, expiresIn }) => expiresAt === undefined || expiresIn === undefined, {
    path: ['expiresIn'],
    message: 'must not be there beside expiresAt',
  })
  .meta({ id: 'CreateApiKey' });

const shown = {
  id: z.string(),
  tenantId: id,
  userId: id,
  roles,
  createdAt: z.iso.datetime(),
  expiresAt: optional(z.iso.datetime()),
};

export const createdApiKey = z
  .strictObject({
    ...shown,
    key: z.string().meta({ description: 'For `Authorization: Bearer`; shown this once' }),
    signingSecret: z.string().meta({ description: 'Signs commands that are published on Kafka; shown this once' }),
  })
  .meta({ id: 'CreatedApiKey' });

export const apiKeyPage = z
  .strictObject({
    apiKeys: z.array(z.strictObject(shown).meta({ id: 'ApiKey' })),
    pageInfo: z.strictObject({ hasMore: z.boolean(), nextCursor: z.string().nullable() }),
  })
  .meta({ id: 'ApiKeyPage' });

import { z } from 'zod';
import { durationBetween, optional } from './fields.ts';

const MOST = 1_000_000_000;
const SECOND_MS = 1_000;
const CENTURY_MS = 36_500 * 86_400_000;

const limit = z.int().min(0).max(MOST);

export const tenantSettings = z
  .strictObject({
    limits: optional(
      z
        .strictObject({
          userPerHour: optional(limit),
          taskPerHour: optional(limit),
          tenantPerMinute: optional(limit.meta({ description: 'Can only make the installation’s own limit of a tenant stricter' })),
        })
        .meta({ description: 'How many triggers each may make; 0 = off, the installation’s own when absent' }),
    ),
    retention: optional(
      z
        .strictObject({
          events: optional(durationBetween(SECOND_MS, CENTURY_MS).meta({ example: '730d' })),
          deadLetters: optional(
            durationBetween(SECOND_MS, CENTURY_MS).meta({
              example: '90d',
              description: 'Open and closed ones; those that are older are deleted',
            }),
          ),
        })
        .meta({ description: 'How long what has ended is kept; for ever when absent' }),
    ),
  })
  .meta({ id: 'TenantSettings' });

const inForce = z.strictObject({ userPerHour: limit, taskPerHour: limit, tenantPerMinute: limit });

/** What is set, and what comes of it. */
export const tenantSettingsInForce = tenantSettings
  .required()
  .extend({ effectiveLimits: inForce.meta({ description: 'The limits that hold for the tenant; 0 = off' }) })
  .meta({ id: 'TenantSettingsInForce' });

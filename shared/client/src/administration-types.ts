import type { PageInfo } from './types.ts';

export type Role = 'viewer' | 'operator' | 'executor' | 'admin';

/** `tenantId`: the caller's own when absent. It never expires without `expiresAt` (an instant) or `expiresIn` (a duration), of which one may be there. */
export type CreateApiKey = { tenantId?: string; userId: string; roles: Role[]; expiresAt?: string; expiresIn?: string };
export type ApiKey = { id: string; tenantId: string; userId: string; roles: Role[]; createdAt: string; expiresAt?: string };
/** `key` and `signingSecret` are shown this once. */
export type CreatedApiKey = ApiKey & { key: string; signingSecret: string };
export type ApiKeyPage = { apiKeys: ApiKey[]; pageInfo: PageInfo };
export type ApiKeyQuery = { tenantId?: string; cursor?: string; pageSize?: number };

/** How many triggers each may make: 0 = off, the installation’s own when absent. What `retention` names is a duration; for ever when absent. */
export type TenantSettings = {
  limits?: { userPerHour?: number; taskPerHour?: number; tenantPerMinute?: number };
  retention?: { events?: string; deadLetters?: string };
};
export type TenantSettingsInForce = Required<TenantSettings> & {
  effectiveLimits: { userPerHour: number; taskPerHour: number; tenantPerMinute: number };
};

/** Whose data: a user's name, or what a sensitive task holds. */
export type Erasure = { userId: string } | { taskId: string };
export type Erased = { subject: 'user' | 'task'; erased: boolean; eventId?: string };

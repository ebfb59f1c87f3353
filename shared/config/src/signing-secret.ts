import type { Secrets } from '@retrigger/ports/secrets.ts';

/** The key that an installation starts with, as records name it. */
export const FIRST_KEY = { tenantId: 'default', keyId: 'first' } as const;

/** Keys are never made anew under the same id. */
const GENERATION = 1;

/** The text under which records are signed with a key (the HMAC's key is this text, not what it encodes). It is derived, so it is the same whenever it is asked for. */
export const signingSecret = (secrets: Secrets, { tenantId, keyId }: { tenantId: string; keyId: string }): string =>
  secrets.derive('signing', tenantId, keyId, GENERATION).toString('base64url');

import { createHmac } from 'node:crypto';
import type { Secrets } from '@retrigger/ports/secrets.ts';

/**
 * Secrets by HMAC-SHA256 under the server secret. Every part is preceded by its length in bytes, so no two lists of arguments
 * make the same text.
 */
export function hmacSecrets(serverSecret: Buffer): Secrets {
  return {
    derive(kind, tenantId, id, generation) {
      const hmac = createHmac('sha256', serverSecret);
      for (const part of ['retrigger', kind, tenantId, id, String(generation)]) hmac.update(`${Buffer.byteLength(part)}:${part}`);
      return hmac.digest();
    },
  };
}

/** `key-index` finds records of the key store, `key-wrap` wraps what they hold, `fingerprint` keys digests of what could be guessed. */
export type SecretKind = 'target' | 'subscription' | 'api-key' | 'signing' | 'cursor' | 'key-index' | 'key-wrap' | 'fingerprint';

/**
 * Secrets that are derived, never stored: `HMAC-SHA256(server secret, kind, tenant, id, generation)`, 32 bytes.
 * The same arguments give the same secret on every process that has the server secret.
 */
export interface Secrets {
  derive(kind: SecretKind, tenantId: string, id: string, generation: number): Buffer;
}

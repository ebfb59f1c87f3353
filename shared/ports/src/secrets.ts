/**
 * Secrets that are derived, never stored: `HMAC-SHA256(server secret, kind, tenant, id, generation)`, 32 bytes.
 * The same arguments give the same secret on every process that has the server secret.
 */
export interface Secrets {
  derive(kind: 'target' | 'subscription' | 'api-key' | 'signing' | 'cursor', tenantId: string, id: string, generation: number): Buffer;
}

import { hash } from 'node:crypto';

/** What stands for a user behind the doors; of the alphabet of ids. */
export const NAME_TOKEN = /^u_[A-Za-z0-9_-]{22}$/;

export const SALT_BYTES = 16;

/**
 * The token that stands for a user's name. It binds and hides: whoever is shown name and salt can check that they belong to it, and without the salt (16 random
 * bytes that only the key store has) nobody can tell whose it is, not by trying names either.
 */
export function nameToken(salt: Buffer, tenantId: string, name: string): string {
  const text = Buffer.from(`${tenantId}\n${name}`);
  return `u_${hash('sha256', Buffer.concat([salt, text]), 'base64url').slice(0, 22)}`;
}

import { createCipheriv, createDecipheriv } from 'node:crypto';

export const WRAP_NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Wraps a secret of the key store: AES-256-GCM under a master key, bound to its record's token. */
export function wrap(masterKey: Buffer, token: string, nonce: Buffer, secret: Buffer): string {
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(Buffer.from(token));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @throws when it was wrapped under another master key, or changed: that is a broken installation, not an erased record. */
export function unwrap(masterKey: Buffer, token: string, wrapped: string): Buffer {
  const bytes = Buffer.from(wrapped, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, WRAP_NONCE_BYTES)).setAAD(Buffer.from(token));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(WRAP_NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

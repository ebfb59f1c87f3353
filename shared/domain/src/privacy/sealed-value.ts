import { createCipheriv, createDecipheriv, createHmac, hash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Json } from '../json.ts';
import type { SealedKind } from './personal-fields.ts';

/** The key of a sensitive task: its public name and 32 bytes. */
export type DataKey = { token: string; key: Buffer };

/** What a sealed value belongs to; moved anywhere else it does not open. */
export type SealedPlace = { tenantId: string; taskId: string; kind: SealedKind };

const SEALED = /^v1\.(k_[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{38,})\.([A-Za-z0-9_-]{43})$/;
const MEMBER = '$sealed';
const PREFIX = '$sealed:';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;

/** Kinds that are texts stay texts; the others become an object of one member. */
const isText = (kind: SealedKind): boolean => kind === 'error' || kind === 'reason';

/**
 * Seals a value: AES-256-GCM under the task's key, bound to its place, and a commitment to what is inside.
 * Z1: a nonce is made of the command, the place and the value, so twins make the same bytes, and no nonce is ever used for two values.
 * Z2: the commitment lets whoever is shown the value and its salt check that this is what was sealed, without any key; without the salt it says nothing.
 */
export function sealValue({ token, key }: DataKey, place: SealedPlace, commandId: string, value: Json): Json {
  const plain = Buffer.from(canonicalJson(value));
  const nonce = subkey(key, 'nonce', commandId, placeText(place), plain).subarray(0, NONCE_BYTES); // Z1
  const cipher = createCipheriv('aes-256-gcm', subkey(key, 'seal'), nonce).setAAD(Buffer.from(placeText(place)));
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const text = `v1.${token}.${sealed.toString('base64url')}.${commitment(saltOf(key, nonce), place.kind, plain)}`;
  return isText(place.kind) ? `${PREFIX}${text}` : { [MEMBER]: text };
}

/** The name of the key that a value was sealed under; undefined when it is no sealed value. */
export const sealedUnder = (value: Json | undefined): string | undefined => SEALED.exec(sealedText(value) ?? '')?.[1];

/** What was sealed, with the salt of its commitment (base64url); undefined when this key does not open it there. */
export function openValue({ key }: DataKey, place: SealedPlace, sealed: Json): { value: Json; salt: string } | undefined {
  const [, , body = ''] = SEALED.exec(sealedText(sealed) ?? '') ?? [];
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', subkey(key, 'seal'), nonce).setAAD(Buffer.from(placeText(place)));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return { value: JSON.parse(plain.toString()) as Json, salt: saltOf(key, nonce).toString('base64url') };
  } catch {
    return undefined; // another key's, or moved, or changed
  }
}

/** Z2: whether `value` is what was sealed. Needs no key. */
export function isWhatWasSealed(sealed: Json, kind: SealedKind, value: Json, salt: string): boolean {
  const [, , , committed] = SEALED.exec(sealedText(sealed) ?? '') ?? [];
  const bytes = Buffer.from(salt, 'base64url');
  return bytes.length === SALT_BYTES && committed === commitment(bytes, kind, Buffer.from(canonicalJson(value)));
}

/** The key of the digests by which repeats of a command about the task are recognised. */
export const fingerprintKey = ({ key }: DataKey): Buffer => subkey(key, 'fingerprint');

function sealedText(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value.startsWith(PREFIX) ? value.slice(PREFIX.length) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const text = value[MEMBER];
  return typeof text === 'string' && Object.keys(value).length === 1 ? text : undefined;
}

const placeText = ({ tenantId, taskId, kind }: SealedPlace): string => `${tenantId}/${taskId}/${kind}`;

/** A key for one use; every part is preceded by its length, so no two lists of parts make the same text. */
function subkey(key: Buffer, ...parts: (string | Buffer)[]): Buffer {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest();
}

const saltOf = (key: Buffer, nonce: Buffer): Buffer => subkey(key, 'salt', nonce).subarray(0, SALT_BYTES);

const commitment = (salt: Buffer, kind: SealedKind, plain: Buffer): string =>
  hash('sha256', Buffer.concat([salt, Buffer.from(`${kind}\n`), plain]), 'base64url');

import { FIRST_KEY, signingSecret } from '@retrigger/config/signing-secret.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import { formatInstant } from '@retrigger/domain/instant.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';

/** Keys by tenant and id, and the tenants of keys by id alone. */
export const API_KEY = 'api-key';
const TENANT_OF_KEY = 'api-key-tenant';
/** Keys are never made anew under the same id. */
const GENERATION = 1;
const PROOF_LENGTH = 11;
const ID = /^key_([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{11})$/;
const KEY = /^rtk_([A-Za-z0-9_-]{33})_([A-Za-z0-9_-]{43})$/;

/** A key as it is kept. Instants are ISO texts; null = never. */
export type IssuedKey = {
  id: string;
  tenantId: string;
  userId: string;
  roles: Role[];
  createdAt: string;
  expiresAt: string | null;
  revokedAt: string | null;
};

/** The name of the document that tells whose a key is. */
export const tenantOfKey = (id: string) => ({ kind: TENANT_OF_KEY, tenantId: FIRST_KEY.tenantId, id });

/**
 * A new key's id: always the same for the same call. C2: its end proves that it was made here, so a made-up id costs no read.
 */
export function newKeyId(secrets: Secrets, commandId: string, now: number): string {
  const name = derive('api-key', commandId, now);
  return `key_${name}${proofOf(secrets, name)}`;
}

/** C2: 66 bits that only the server secret gives; no tenant has an empty name, so they are part of no key. */
const proofOf = (secrets: Secrets, name: string): string =>
  secrets.derive('api-key', '', name, 0).toString('base64url').slice(0, PROOF_LENGTH);

export function isKeyId(secrets: Secrets, id: string): boolean {
  const [, name, proof] = ID.exec(id) ?? [];
  return name !== undefined && proofOf(secrets, name) === proof;
}

/** The key itself: it names its id, and ends with what only the server secret gives for that id in that tenant. */
export const keyText = (secrets: Secrets, { tenantId, id }: Pick<IssuedKey, 'tenantId' | 'id'>): string =>
  `rtk_${id.slice('key_'.length)}_${secrets.derive('api-key', tenantId, id, GENERATION).toString('base64url')}`;

/** The id that a key names; undefined when the text has not a key's shape. */
export function keyIdIn(token: string): string | undefined {
  const [, name] = KEY.exec(token) ?? [];
  return name === undefined ? undefined : `key_${name}`;
}

/** Both are derived, and shown to whoever made the key. */
export const keySecrets = (secrets: Secrets, key: Pick<IssuedKey, 'tenantId' | 'id'>): { key: string; signingSecret: string } => ({
  key: keyText(secrets, key),
  signingSecret: signingSecret(secrets, { tenantId: key.tenantId, keyId: key.id }),
});

export const keyOf = ({ id, tenantId, body }: Document): IssuedKey => ({ id, tenantId, ...(body as Omit<IssuedKey, 'id' | 'tenantId'>) });

/** Stores a key; the same one again changes nothing, and does not bring it back when it was revoked meanwhile. */
export async function issueKey(documents: DocumentStore, { id, tenantId, ...body }: IssuedKey, by: string): Promise<void> {
  await documents.write({ ...tenantOfKey(id), version: 1, body: { tenantId } });
  await documents.write({ kind: API_KEY, tenantId, id, version: 1, body: { ...body, createdBy: by } });
}

/**
 * Revokes a key of the tenant, or of any tenant (null). False when there is none, or it was revoked by another call. C4: its document stays, so that no repeat
 * of the call that made it brings it back.
 */
export async function revokeKey(
  documents: DocumentStore,
  tenantId: string | null,
  id: string,
  { by, commandId, now }: { by: string; commandId: string; now: number },
): Promise<boolean> {
  const owner = tenantId ?? (await documents.read(TENANT_OF_KEY, FIRST_KEY.tenantId, id))?.body.tenantId;
  for (;;) {
    const found = typeof owner === 'string' ? await documents.read(API_KEY, owner, id) : undefined;
    if (found === undefined) return false;
    if (found.body.revokedAt !== null) return found.body.revocation === commandId;
    const body: JsonObject = { ...found.body, revokedAt: formatInstant(now), revokedBy: by, revocation: commandId };
    if ((await documents.write({ ...found, version: found.version + 1, body })) === 'written') return true;
  }
}

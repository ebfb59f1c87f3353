import { unwrap, WRAP_NONCE_BYTES, wrap } from '@retrigger/domain/privacy/wrapped-secret.ts';
import type { KeyRingPorts } from './key-ring.ts';

/** No digest of a user or task looks like it. */
const ID = 'master-key';
const TOKEN_BYTES = 16;
const PROOF = Buffer.from('retrigger master key');

/** What is said of a store whose master key this is not. */
export const OTHER_MASTER_KEY =
  'was used with another master key: start with the RETRIGGER_MASTER_KEY, or where none was set the RETRIGGER_SECRET, that it was used with';

/**
 * Whether this master key is the one that this store's records are wrapped with; the first that asks is. With another one every name and every sensitive content would
 * look erased, and users would come back as others: who has the wrong key must not start.
 */
export async function isMasterKeyOf({ keys, secrets, freshBytes }: Omit<KeyRingPorts, 'clock'>): Promise<boolean> {
  const key = secrets.derive('key-wrap', ID, 'proof', 1);
  const token = `m_${freshBytes(TOKEN_BYTES).toString('base64url')}`;
  const stands =
    (await keys.find(ID)) ?? (await keys.obtain({ id: ID, token, secret: wrap(key, token, freshBytes(WRAP_NONCE_BYTES), PROOF) }));
  try {
    return unwrap(key, stands.token, stands.secret).equals(PROOF);
  } catch {
    return false;
  }
}

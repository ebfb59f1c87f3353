import { NAME_TOKEN } from '@retrigger/domain/privacy/name-token.ts';
import type { KeyRing } from '@retrigger/engine/key-ring.ts';
import type { Caller, Credentials } from './credentials.ts';

type Translate = (caller: Caller) => Promise<Caller | undefined>;

const translated = (ways: Credentials, translate: Translate): Credentials => ({
  async identify(token) {
    const caller = await ways.identify(token);
    return caller && translate(caller);
  },
  async signer(keyId) {
    const signer = await ways.signer(keyId);
    const caller = signer && (await translate(signer.caller));
    return signer && caller && { ...signer, caller };
  },
  forget: (keyId) => ways.forget?.(keyId),
});

/** P4: credentials that name users tell the tokens that stand for them. */
export const withTokens = (ways: Credentials, ring: Pick<KeyRing, 'tokenOf'>): Credentials =>
  translated(ways, async (caller) => ({ ...caller, userId: await ring.tokenOf(caller.tenantId, caller.userId) }));

/**
 * Credentials that are kept under the tokens of their users.
 * C7: a key of somebody who was erased proves nobody: within seconds it is good nowhere, and nobody has to look for it.
 */
export const ofKnownUsers = (kept: Credentials, ring: Pick<KeyRing, 'open' | 'tokenOf'>): Credentials =>
  translated(kept, async (caller) => {
    const { tenantId, userId } = caller;
    if (!NAME_TOKEN.test(userId)) return { ...caller, userId: await ring.tokenOf(tenantId, userId) }; // made before users had tokens
    return (await ring.open(tenantId, [userId])).names.has(userId) ? caller : undefined;
  });

import { NAME_TOKEN } from '@retrigger/domain/privacy/name-token.ts';
import type { KeyRing } from '@retrigger/engine/key-ring.ts';
import type { Caller, Credentials } from './credentials.ts';

/**
 * Credentials that are kept under the tokens of their users, with the users' names.
 * C7: a key of somebody who was erased proves nobody: within seconds it is good nowhere, and nobody has to look for it.
 */
export function namedBy(ring: Pick<KeyRing, 'open'>, kept: Credentials): Credentials {
  const named = async (caller: Caller | undefined): Promise<Caller | undefined> => {
    if (caller === undefined || !NAME_TOKEN.test(caller.userId)) return caller; // made before users had tokens
    const userId = (await ring.open(caller.tenantId, [caller.userId])).names.get(caller.userId)?.name;
    return userId === undefined ? undefined : { ...caller, userId };
  };
  return {
    async identify(token) {
      return named(await kept.identify(token));
    },
    async signer(keyId) {
      const signer = await kept.signer(keyId);
      const caller = await named(signer?.caller);
      return signer && caller && { ...signer, caller };
    },
    forget: (keyId) => kept.forget?.(keyId),
  };
}

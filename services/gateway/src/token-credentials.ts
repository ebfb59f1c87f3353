import { ID_PATTERN } from '@retrigger/domain/identifiers.ts';
import { ROLES, type Role } from '@retrigger/domain/permissions.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type JWTPayload, jwtVerify } from 'jose';
import type { Caller, Credentials } from './credentials.ts';
import type { IssuerKeys } from './issuer-keys.ts';

/** Whose tokens are taken, and for whom they must be meant. */
export type TokenIssuer = { jwksUrl: string; issuer: string; audience: string };

/** Signatures that only the issuer can make: with `none` and HMAC anybody who knows the public key could. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const MOST_CHARACTERS = 8_192;

/**
 * Signed tokens (JWT) of one issuer.
 * Z6: signature, algorithm, issuer, audience, expiry and `nbf` must all be right, by our clock to the second; one that never expires is refused.
 * Z7: tenant, user and roles come from the claims `tenant`, `sub` and `roles`; a claim that names no possible one, or a role that we don't have, refuses the token.
 */
export function tokenCredentials(
  { issuer, audience }: Pick<TokenIssuer, 'issuer' | 'audience'>,
  keys: Pick<IssuerKeys, 'keyOf'>,
  clock: Clock,
): Credentials {
  return {
    identify(token) {
      if (token.length > MOST_CHARACTERS || !TOKEN.test(token)) return undefined;
      return jwtVerify(token, (header, input) => keys.keyOf(header, input), {
        ...{ issuer, audience, algorithms: ALGORITHMS, currentDate: new Date(clock.now()) },
        requiredClaims: ['exp', 'sub', 'tenant', 'roles'],
      }).then(
        ({ payload }) => callerIn(payload),
        () => undefined, // whatever is wrong, the answer is the same (C5)
      );
    },
    signer: async () => undefined,
  };
}

/** Z7 */
function callerIn({ tenant, sub, roles }: JWTPayload): Caller | undefined {
  const isId = (claim: unknown): claim is string => typeof claim === 'string' && ID_PATTERN.test(claim);
  const areRoles = (claim: unknown): claim is Role[] =>
    Array.isArray(claim) && claim.length > 0 && claim.every((role) => (ROLES as readonly unknown[]).includes(role));
  return isId(tenant) && isId(sub) && areRoles(roles) ? { tenantId: tenant, userId: sub, roles: [...new Set(roles)] } : undefined;
}

import { IssuerKeys } from '@retrigger/gateway/issuer-keys.ts';
import { tokenCredentials } from '@retrigger/gateway/token-credentials.ts';
import { silent } from '@retrigger/ports/observer.ts';
import type { JSONWebKeySet } from 'jose';
import { FakeClock } from './fakes.ts';
import { AUDIENCE, ISSUER, type SigningKey, tokenOf } from './issuer.ts';

/** Whom the tokens of tests name. */
export const ANN = { tenantId: 'acme', userId: 'ann', roles: ['operator'] };

/** The way in by tokens, over keys that `fetch` brings. */
export function tokenDoor(first: SigningKey, fetch: () => Promise<JSONWebKeySet>) {
  const clock = new FakeClock();
  const warnings: unknown[] = [];
  const observer = { ...silent, log: (...said: unknown[]) => void warnings.push(said) };
  const credentials = tokenCredentials({ issuer: ISSUER, audience: AUDIENCE }, new IssuerKeys(fetch, { clock, observer }), clock);
  return {
    ...{ clock, warnings, credentials },
    known: async (token: string) => credentials.identify(token),
    token: (claims?: object, key = first) => tokenOf(key, clock.now(), { ...claims }),
  };
}

/** Over a key set in the test's hands; `fetches` counts, `down` makes it fail. */
export function heldKeys(first: SigningKey, ...others: SigningKey[]) {
  const issuer = { keys: [first, ...others], fetches: 0, down: false };
  const door = tokenDoor(first, async () => {
    issuer.fetches++;
    if (issuer.down) throw new Error('connection refused');
    return { keys: issuer.keys.map(({ jwk }) => jwk) };
  });
  return Object.assign(door, { issuer });
}

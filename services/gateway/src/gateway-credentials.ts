import type { Settings } from '@retrigger/config/environment.ts';
import type { TOKENS } from '@retrigger/config/variables.ts';
import type { Privacy } from '@retrigger/engine/privacy.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';
import { anyOf, type Credentials, firstApiKey } from './credentials.ts';
import { fetchJwks } from './fetch-jwks.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { KeyCredentials } from './key-credentials.ts';
import { type TokenIssuer, tokenCredentials } from './token-credentials.ts';
import { ofKnownUsers, withTokens } from './user-tokens.ts';

type Ports = { documents: Pick<DocumentStore, 'read'>; secrets: Secrets; privacy: Pick<Privacy, 'ring'>; clock: Clock; observer: Observer };

/**
 * P4: this is as far as a user's name gets: whoever is identified has a token for it, and that is all that anybody behind the doors is told.
 * All the ways into an installation: its first key, those that its administrators made and, where an issuer is named, that one's tokens.
 */
export function gatewayCredentials(firstKey: string, issuer: TokenIssuer | null, ports: Ports): Credentials {
  const { ring } = ports.privacy;
  const ways = [withTokens(firstApiKey(firstKey, ports.secrets), ring), ofKnownUsers(new KeyCredentials(ports), ring)];
  if (issuer === null) return anyOf(...ways);
  const issued = tokenCredentials(issuer, new IssuerKeys(() => fetchJwks(issuer.jwksUrl), ports), ports.clock);
  return anyOf(...ways, withTokens(issued, ring));
}

/** Null: no tokens are taken. An issuer that is only half named is an error: a forgotten audience would let in tokens that were meant for others. */
export function tokenIssuer({
  jwksUrl,
  jwtIssuer: issuer,
  jwtAudience: audience,
}: Settings<typeof TOKENS>): { kind: 'issuer'; issuer: TokenIssuer | null } | { kind: 'wrong'; message: string } {
  const given = { RETRIGGER_JWKS_URL: jwksUrl ?? '', RETRIGGER_JWT_ISSUER: issuer, RETRIGGER_JWT_AUDIENCE: audience };
  const [missing] = Object.entries(given).flatMap(([name, text]) => (text === '' ? [name] : []));
  if (missing === undefined) {
    const { username, password } = new URL(given.RETRIGGER_JWKS_URL);
    return username + password === ''
      ? { kind: 'issuer', issuer: { jwksUrl: given.RETRIGGER_JWKS_URL, issuer, audience } }
      : { kind: 'wrong', message: 'RETRIGGER_JWKS_URL has a login; public keys need none, so it must be a URL without' };
  }
  if (Object.values(given).every((text) => text === '')) return { kind: 'issuer', issuer: null };
  return {
    kind: 'wrong',
    message: `${missing} is not set; tokens need RETRIGGER_JWKS_URL, RETRIGGER_JWT_ISSUER and RETRIGGER_JWT_AUDIENCE`,
  };
}

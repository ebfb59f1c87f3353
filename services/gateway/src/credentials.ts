import { hash, timingSafeEqual } from 'node:crypto';
import { FIRST_KEY, signingSecret } from '@retrigger/config/signing-secret.ts';
import type { Role } from '@retrigger/domain/permissions.ts';
import type { Secrets } from '@retrigger/ports/secrets.ts';

/** Who calls, as their credentials say and nothing else. Past `gatewayCredentials` a token stands for the user (P4). */
export type Caller = { tenantId: string; userId: string; roles: Role[] };

/** Who signs records with a key, and the text that is the HMAC's key. */
export type Signer = { secret: string; caller: Caller };

/** A way to tell who calls: API keys, tokens of an issuer, or several of them. */
export interface Credentials {
  /** The caller behind the text after `Bearer `; undefined when it proves nobody. */
  identify(token: string): Caller | undefined | Promise<Caller | undefined>;
  /** Whoever signs with the key of this id; undefined when there is no such key that is good now. */
  signer(keyId: string): Promise<Signer | undefined>;
  /** What is remembered of a key no longer holds: it is looked up again. */
  forget?(keyId: string): void;
}

const BEARER = /^Bearer +([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/i;

/** The token of an `Authorization: Bearer …` header. */
export const bearerToken = (authorization: string | undefined): string | undefined => BEARER.exec(authorization ?? '')?.[1];

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * API keys, of which only digests are kept.
 * C1: a comparison takes the same time wherever two keys differ, and every key is compared.
 */
export function apiKeys(keys: { key: string; caller: Caller; signing?: { keyId: string; secret: string } }[]): Credentials {
  const signers = new Map(keys.flatMap(({ caller, signing }) => (signing === undefined ? [] : [[signing.keyId, { ...signing, caller }]])));
  const known = keys.map(({ key, caller }) => ({ digest: digest(key), caller }));
  return {
    identify(token) {
      const given = digest(token);
      let found: Caller | undefined;
      for (const one of known) if (timingSafeEqual(one.digest, given)) found = one.caller;
      return found;
    },
    signer: async (keyId) => signers.get(keyId),
  };
}

/** The key that an installation starts with. */
export const firstApiKey = (key: string, secrets: Secrets): Credentials =>
  apiKeys([
    {
      key,
      caller: { tenantId: FIRST_KEY.tenantId, userId: 'admin', roles: ['admin'] },
      signing: { keyId: FIRST_KEY.keyId, secret: signingSecret(secrets, FIRST_KEY) },
    },
  ]);

/** Whoever one of them knows, asked in this order. */
export const anyOf = (...ways: Credentials[]): Credentials => ({
  identify(token) {
    for (const [i, way] of ways.entries()) {
      const found = way.identify(token);
      if (found instanceof Promise) return found.then((caller) => caller ?? anyOf(...ways.slice(i + 1)).identify(token));
      if (found !== undefined) return found;
    }
    return undefined;
  },
  async signer(keyId) {
    for (const way of ways) {
      const found = await way.signer(keyId);
      if (found !== undefined) return found;
    }
    return undefined;
  },
  forget(keyId) {
    for (const way of ways) way.forget?.(keyId);
  },
});

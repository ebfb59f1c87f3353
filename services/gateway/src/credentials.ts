import { hash, timingSafeEqual } from 'node:crypto';
import type { Role } from '@retrigger/domain/permissions.ts';

/** Who calls, as their credentials say and nothing else. Behind `callerOf` a token stands for the user (P4). */
export type Caller = { tenantId: string; userId: string; roles: Role[] };

/** A way to tell who calls: API keys, tokens of an issuer, or several of them. */
export interface Credentials {
  /** The caller behind the text after `Bearer `; undefined when it proves nobody. */
  identify(token: string): Caller | undefined | Promise<Caller | undefined>;
}

const BEARER = /^Bearer +([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/i;

/** The token of an `Authorization: Bearer …` header. */
export const bearerToken = (authorization: string | undefined): string | undefined => BEARER.exec(authorization ?? '')?.[1];

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * API keys, of which only digests are kept.
 * C1: a comparison takes the same time wherever two keys differ, and every key is compared.
 */
export function apiKeys(keys: { key: string; caller: Caller }[]): Credentials {
  const known = keys.map(({ key, caller }) => ({ digest: digest(key), caller }));
  return {
    identify(token) {
      const given = digest(token);
      let found: Caller | undefined;
      for (const one of known) if (timingSafeEqual(one.digest, given)) found = one.caller;
      return found;
    },
  };
}

/** The key that an installation starts with. */
export const firstApiKey = (key: string): Credentials =>
  apiKeys([{ key, caller: { tenantId: 'default', userId: 'admin', roles: ['admin'] } }]);

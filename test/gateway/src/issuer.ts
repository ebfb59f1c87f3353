import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://login.example';
export const AUDIENCE = 'retrigger';

export type SigningKey = { alg: string; kid: string; privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK };

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** A token that is right at `now` (epoch ms) unless `claims` make it wrong; a claim of undefined is left out. */
export async function tokenOf(key: SigningKey, now: number, claims: { [name: string]: unknown } = {}): Promise<string> {
  const exp = Math.floor(now / 1000) + 60;
  const payload = { iss: ISSUER, aud: AUDIENCE, sub: 'ann', tenant: 'acme', roles: ['operator'], exp, ...claims };
  const given = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  return new SignJWT(given).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
}

/** A token as whoever forges one writes it. */
export const unsignedToken = (header: object, payload: object, signature = ''): string =>
  `${[header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`;

/** Serves a key set on a free port. `keys` may be changed; `answer` takes the place of the key set. */
export async function startIssuer(keys: JWK[]) {
  const issuer = {
    keys,
    answer: null as { status: number; body: string; headers?: { [name: string]: string } } | null,
    asked: 0,
    url: '',
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer((_request, response) => {
    issuer.asked++;
    const { status, body, headers = {} } = issuer.answer ?? { status: 200, body: JSON.stringify({ keys: issuer.keys }) };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  return issuer;
}

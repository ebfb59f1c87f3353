import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { readBounded } from '@retrigger/delivery/read-bounded.ts';
import type { JSONWebKeySet } from 'jose';

const WITHIN_MS = 5_000;
const MOST_BYTES = 262_144;

/** Fetches an issuer's key set: within 5 s, at most 256 KiB, without following redirects. @throws what went wrong. */
export async function fetchJwks(url: string): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(WITHIN_MS),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the answer is ${response.status}`);
  }
  const announced = Number(response.headers.get('content-length') ?? 0);
  const body = await readBounded(Readable.fromWeb(response.body as ReadableStream), announced, MOST_BYTES);
  if (body === undefined) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`);
  return JSON.parse(body.toString('utf8')) as JSONWebKeySet; // its shape is checked where it is used
}

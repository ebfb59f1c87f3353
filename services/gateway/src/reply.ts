import type { ProblemCode } from '@retrigger/contract/problem-codes.ts';
import { canonicalJson } from '@retrigger/domain/event-hash.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';

/** An answer before it becomes HTTP. `refusal`: refused here at the door, so that nobody else counts it. */
export type Reply = {
  status: number;
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers: { [name: string]: string };
  refusal?: ProblemCode;
};

/**
 * V1: the same answer is the same bytes, whether it comes from the worker, from a receipt or from an event that was folded again: members stand in
 * canonical order.
 */
export const jsonReply = (status: number, body: JsonObject, headers: { [name: string]: string } = {}): Reply => {
  headers['content-type'] ??= 'application/json';
  return { status, body: canonicalJson(body), headers };
};

/** Success in API.md's envelope. */
export const success = (status: number, data: JsonObject, headers?: { [name: string]: string }): Reply =>
  jsonReply(status, { status, data }, headers);

/** 204: there is nothing to say. */
export const nothing = (): Reply => ({ status: 204, body: '', headers: {} });

/**
 * What every answer says besides its own headers: it is what its type says, nobody keeps it, and no page frames it, runs from it or learns of it.
 * HSTS is for whoever terminates TLS.
 */
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
};

export const headersOf = ({ headers }: Reply): { [name: string]: string } => ({ ...ALWAYS, ...headers });

export const toResponse = (reply: Reply): Response =>
  new Response(reply.status === 204 ? null : reply.body, { status: reply.status, headers: headersOf(reply) });

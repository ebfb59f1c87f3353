import type { IncomingMessage } from 'node:http';
import { MAX_BODY_BYTES, parseStrictJson } from '@retrigger/contract/strict-json.ts';
import type { Json } from '@retrigger/domain/json.ts';
import type { Context } from 'hono';
import type { Held } from './body-memory.ts';
import { invalid, type Problem } from './problem.ts';

export type RequestBody = { kind: 'body'; value: Json } | { kind: 'problem'; problem: Problem };

const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

/** Whether a content type is JSON in UTF-8. */
export const isJsonType = (type: string | undefined): boolean => type !== undefined && JSON_TYPE.test(type);

const EMPTY: Json = {};

/** The JSON body of a tenant's request, read once; an absent one is `{}`. What it takes of the memory for bodies is the caller's to give back. */
export async function readBody(c: Context, held: Held, tenantId: string): Promise<RequestBody> {
  const declared = c.req.header('content-length');
  if (declared !== undefined && Number(declared) > MAX_BODY_BYTES) return tooLarge();
  const bytes = await readBytes(c, (count) => held.take(tenantId, count));
  if (bytes === 'too_large') return tooLarge();
  if (bytes === 'no_room') return noRoom();
  if (bytes === 'aborted') return problem(invalid('', 'the body ended early'));
  if (bytes.byteLength === 0) return { kind: 'body', value: EMPTY };
  if (!isJsonType(c.req.header('content-type')))
    return problem({ code: 'unsupported_media_type', detail: 'The body must be application/json in UTF-8' });
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return problem({ code: 'unsupported_media_type', detail: 'The body must not be compressed' });
  const parsed = parseStrictJson(bytes);
  if (parsed.kind === 'too_large') return bytes.byteLength > MAX_BODY_BYTES ? tooLarge() : tooLargeInFull(parsed.bytes);
  return parsed.kind === 'value' ? { kind: 'body', value: parsed.value } : problem({ ...invalid(parsed.error.path, parsed.error.message) });
}

const problem = (what: Problem): RequestBody => ({ kind: 'problem', problem: what });

const tooLarge = (): RequestBody =>
  problem({ code: 'payload_too_large', detail: `The body is larger than ${MAX_BODY_BYTES} bytes`, headers: { connection: 'close' } });

const tooLargeInFull = (bytes: number): RequestBody =>
  problem({
    code: 'payload_too_large',
    detail: `The body has ${bytes} bytes with its numbers written in full, more than ${MAX_BODY_BYTES}`,
  });

const noRoom = (): RequestBody =>
  problem({
    code: 'overloaded',
    detail: 'Too many bodies are being read; try again shortly',
    headers: { connection: 'close' },
  });

type Bytes = Uint8Array | 'too_large' | 'no_room' | 'aborted';

/** From Node's own stream where there is one: no copy, and nothing beyond the bound is kept. */
async function readBytes(c: Context, take: (bytes: number) => boolean): Promise<Bytes> {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  if (incoming !== undefined) return readIncoming(incoming, take);
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  return take(bytes.byteLength) ? bytes : 'no_room';
}

function readIncoming(incoming: IncomingMessage, take: (bytes: number) => boolean): Promise<Bytes> {
  if (incoming.destroyed) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let isRefused = false;
    const refuse = (why: 'too_large' | 'no_room') => {
      isRefused = true;
      chunks.length = 0;
      resolve(why);
    };
    incoming.on('data', (chunk: Buffer) => {
      if (isRefused) return; // what still comes is read and dropped
      length += chunk.byteLength;
      if (length > MAX_BODY_BYTES) refuse('too_large');
      else if (take(chunk.byteLength)) chunks.push(chunk);
      else refuse('no_room');
    });
    incoming.on('end', () => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    incoming.on('error', () => resolve('aborted'));
    incoming.on('close', () => resolve('aborted'));
  });
}

import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Dispatcher } from 'undici';
import { guardedAgent, type Resolve } from './guarded-connect.ts';
import { literalTargetRefusal } from './private-address.ts';
import { readBounded } from './read-bounded.ts';
import { sign } from './standard-webhooks.ts';
import { addressRefused, failed, failureOf, type TargetAnswer, timedOut } from './target-answer.ts';

/** What a target is told, as its JSON body. */
export type TargetRequest = {
  executionId: string;
  runId: string;
  taskId: string;
  attempt: number;
  context: JsonObject;
  deadlineAt?: string;
};

/** One call. `timeoutMs` bounds all of it, from the lookup of the name to the last byte of the answer. */
export type TargetCall = {
  url: string;
  method: string;
  headers: { readonly [name: string]: string };
  timeoutMs: number;
  secret: Buffer;
  request: TargetRequest;
  traceparent?: string;
};

export type HttpTargets = {
  /** Never rejects. An aborted call is `target_unreachable`; what it led to nobody knows. */
  call(call: TargetCall, aborted: AbortSignal): Promise<TargetAnswer>;
  /** Ends the kept connections, and calls that still run. */
  close(): Promise<void>;
};

export type HttpTargetOptions = {
  clock: Clock;
  allowPrivate: boolean;
  /** Reads a JSON answer; whatever is not `value` is no acceptable JSON. */
  parse(bytes: Uint8Array): { kind: 'value'; value: Json } | { kind: 'invalid' | 'too_large' };
  resolve?: Resolve;
};

/** Answers larger than this fail the execution. */
export const MAX_ANSWER_BYTES = 262_144;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Calls executions' targets over a pool of kept-alive connections. Redirects are not followed: a redirect could lead anywhere.
 * webhook-id is the executionId, so a call that is made again is recognised as the same.
 * H1: a call is sent once. One that ends without an answer, on a kept connection too, may have been taken: it fails, and whether to try again is for the task's
 * retry policy to say. Rare where nothing was wrong but a kept connection: undici looks whether one was closed before it uses it again, and `guardedAgent` gives
 * up idle ones before servers do.
 */
export function httpTargets({ clock, allowPrivate, parse, resolve }: HttpTargetOptions): HttpTargets {
  const agent = guardedAgent({ allowPrivate, connectTimeoutMs: CONNECT_TIMEOUT_MS, ...(resolve === undefined ? {} : { resolve }) });
  return {
    async call(call, aborted) {
      const refusal = literalTargetRefusal(call.url, allowPrivate);
      if (refusal !== undefined) return addressRefused(refusal);
      const ending = new AbortController();
      const end = () => ending.abort();
      let isLate = false;
      const cancel = clock.timer(clock.now() + call.timeoutMs, () => {
        isLate = true;
        end();
      });
      aborted.addEventListener('abort', end);
      if (aborted.aborted) end();
      try {
        return await answerOf(await send(agent, call, clock.now(), ending.signal), parse);
      } catch (error) {
        return isLate ? timedOut(call.timeoutMs) : failureOf(error);
      } finally {
        cancel();
        aborted.removeEventListener('abort', end);
      }
    },
    close: () => agent.destroy(),
  };
}

function send(agent: Dispatcher, call: TargetCall, at: number, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(call.url);
  const body = JSON.stringify(call.request);
  return agent.request({
    origin,
    path: pathname + search,
    method: call.method as Dispatcher.HttpMethod,
    headers: {
      'user-agent': 'retrigger',
      accept: 'application/json',
      ...lowerCased(call.headers),
      ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
      'content-type': 'application/json',
      ...sign(call.secret, call.request.executionId, at, body),
    },
    body,
    signal,
  });
}

/** Names in one case, so that a target's own headers can't stand beside ours. */
const lowerCased = (headers: TargetCall['headers']): { [name: string]: string } =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

async function answerOf({ statusCode, headers, body }: Dispatcher.ResponseData, parse: HttpTargetOptions['parse']): Promise<TargetAnswer> {
  if (statusCode === 202 || statusCode < 200 || statusCode > 299) {
    await body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => {}); // the status is all that counts
    return statusCode === 202
      ? { kind: 'accepted' }
      : failed('target_status', `The target answered ${statusCode}`, isWorthRetrying(statusCode));
  }
  const bytes = await readBounded(body, Number(headers['content-length'] ?? 0), MAX_ANSWER_BYTES);
  if (bytes === undefined) return failed('target_answer_too_large', `The target's answer is larger than ${MAX_ANSWER_BYTES} bytes`, false);
  if (bytes.length === 0) return { kind: 'completed', result: null };
  const parsed = parse(bytes);
  if (parsed.kind === 'value') return { kind: 'completed', result: parsed.value };
  if (!/^application\/([\w.-]+\+)?json\b/i.test(String(headers['content-type'] ?? ''))) return { kind: 'completed', result: null }; // "OK" is an answer, but no result
  return failed('target_answer_invalid', 'The target answered with a JSON content type, but not with JSON that can be kept', false);
}

/** Statuses that speak of the moment, not of the request (RFC 9110, 6585, 8470). */
const isWorthRetrying = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

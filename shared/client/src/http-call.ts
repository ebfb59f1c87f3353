import { randomUUID } from 'node:crypto';
import { CallTime } from './call-time.ts';
import { type Answer, type Send, sendBy, sendDirectly } from './http-send.ts';
import { type Outcome, type Problem, problemOf } from './outcome.ts';

export type ClientOptions = {
  /** Where the gateway is, e.g. `http://127.0.0.1:8080`. */
  url: string;
  /** An API key or a token. */
  key: string;
  /** So long a call is tried, in milliseconds; 30 s. */
  withinMs?: number;
  /** Sends everything, where it must be another way than this client's own. */
  fetch?: typeof fetch;
};

/** `withinMs`: so long the call is tried; `tryWithinMs`: so long one try may take before another is made (10 s). */
export type CallOptions = { signal?: AbortSignal; withinMs?: number; tryWithinMs?: number };

export type ChangeOptions = CallOptions & {
  /** Makes this call and all its repeats, also those of another process, one command for 24 h. Without one the client makes one for the call. */
  idempotencyKey?: string;
  /**
   * After a 404 or 409: whether to ask again in the time there is. A refusal is kept under its key, so that is a new command with a new key; it is therefore
   * not possible together with `idempotencyKey`.
   */
  againAfter?: (problem: Problem) => boolean;
};

export type Request = { method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; path: string; query?: object; body?: object };

const WITHIN_MS = 30_000;
const TRY_WITHIN_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/** What one try came to: an end, or something that is worth another try, after at least `afterMs`. */
type Try<T> =
  | { kind: 'end'; outcome: Outcome<T> }
  | { kind: 'again'; problem: Problem; afterMs: number }
  | { kind: 'pending'; place: string };

/** A request as it is sent; `isFollowing`: it asks what came of one that was pending. */
type Asked = Request & { idempotencyKey: string | undefined; isFollowing: boolean };

export type Call = <T>(request: Request, options?: ChangeOptions) => Promise<Outcome<T>>;

/**
 * Calls of the API that are tried again where that is safe.
 * H1: every changing call has an idempotency key, the same in all its tries, so that it is carried out once however often it is sent.
 * H2: tried again is what nobody answered, 429 and 5xx, no sooner than `Retry-After` says. What was refused for what it is comes back at once.
 * H3: an answer that is pending is followed to its outcome. H4: no call takes longer than its time, whatever the server does.
 */
export function httpCalls({ url, key, withinMs: usual = WITHIN_MS, fetch }: ClientOptions): Call {
  const base = url.replace(/\/+$/, '');
  const send: Send = fetch === undefined ? sendDirectly : sendBy(fetch);

  async function once<T>(asked: Asked, signal: AbortSignal): Promise<Try<T>> {
    const { method, path, query, body, idempotencyKey, isFollowing } = asked;
    const headers: { [name: string]: string } = { authorization: `Bearer ${key}`, accept: 'application/json, application/problem+json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey; // H1
    const payload = body === undefined ? {} : { body: JSON.stringify(body) };
    let answer: Answer;
    try {
      answer = await send({ url: `${base}${path}${queryText(query)}`, method, headers, ...payload }, signal);
    } catch (error) {
      return { kind: 'again', problem: problemOf('unreachable', reasonOf(error)), afterMs: 0 };
    }
    return judge<T>(answer, isFollowing ? path : null);
  }

  return async (request, { signal, withinMs = usual, tryWithinMs = TRY_WITHIN_MS, idempotencyKey, againAfter } = {}) => {
    const time = new CallTime(withinMs, tryWithinMs, signal); // H4
    const isChange = request.method !== 'GET';
    const first = (ownKey: string): Asked => ({ ...request, idempotencyKey: isChange ? ownKey : undefined, isFollowing: false });
    let asked = first(idempotencyKey ?? randomUUID());
    let last = problemOf('unreachable', `No answer within ${withinMs} ms`);
    for (let tries = 0; !time.isUp; tries++) {
      const made = await time.during((ending) => once<never>(asked, ending));
      let afterMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
      if (made.kind === 'end') {
        const { outcome } = made;
        const isRefusal = !outcome.ok && (outcome.problem.status === 404 || outcome.problem.status === 409);
        if (!isRefusal || idempotencyKey !== undefined || !againAfter?.(outcome.problem)) return outcome;
        [last, asked] = [outcome.problem, first(randomUUID())];
      } else if (made.kind === 'pending') {
        last = problemOf('undecided', 'The command was taken; nobody has decided it yet');
        asked = { method: 'GET', path: made.place, idempotencyKey: undefined, isFollowing: true }; // H3
      } else {
        if (!time.isUp) last = made.problem;
        afterMs = Math.max(afterMs, made.afterMs);
        if (made.afterMs > withinMs) break; // it says itself that there is no use in waiting
      }
      await time.pause(afterMs);
    }
    return { ok: false, problem: signal?.aborted ? problemOf('aborted', 'The caller broke it off') : last };
  };
}

export const WORTH_ANOTHER_TRY = new Set([429, 500, 502, 503, 504]);

function judge<T>({ status, text, header }: Answer, following: string | null): Try<T> {
  const commandId = header('x-command-id');
  const of = commandId === null ? {} : { commandId };
  if (status === 204) return { kind: 'end', outcome: { ok: true, status, data: undefined as T, replayed: false, ...of } };
  const body = jsonOf(text);
  if (status >= 200 && status < 300 && body !== undefined) {
    const { data } = body as { data: T & Partial<Told> };
    if (following !== null) return told<T>(data, following);
    const place = header('location') ?? '';
    if (status === 202 && data.state === 'pending' && place.startsWith('/')) return { kind: 'pending', place };
    return { kind: 'end', outcome: { ok: true, status, data, replayed: header('idempotent-replayed') === 'true', ...of } };
  }
  const problem = { ...problemIn({ status }, text), ...of };
  if (!WORTH_ANOTHER_TRY.has(status)) return { kind: 'end', outcome: { ok: false, problem } };
  return { kind: 'again', problem, afterMs: 1_000 * Number(header('retry-after') ?? 0) || 0 }; // H2
}

/** The problem that an answer is; one of this client's own when it is no problem. */
export function problemIn({ status }: { status: number }, text: string): Problem {
  const body = jsonOf(text);
  if (typeof body?.code === 'string') return body as Problem;
  return problemOf('unreadable', `It answered ${status} with what is no answer of this API`, status);
}

type Told = { commandId: string; state: string; outcome: { status: number; body: { data: unknown } } };

/** The outcome of a command, as whoever waited for it would have got it (H3). */
function told<T>(data: T & Partial<Told>, place: string): Try<T> {
  const { outcome, commandId = '' } = data;
  if (outcome === undefined) return { kind: 'pending', place };
  const { status, body } = outcome;
  if (status >= 300) return { kind: 'end', outcome: { ok: false, problem: { ...(body as unknown as Problem), commandId } } };
  return { kind: 'end', outcome: { ok: true, status, data: body.data as T, replayed: false, commandId } };
}

function jsonOf(text: string): { [name: string]: unknown } | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Lists as commas; what is undefined is left out. */
export function queryText(query: object = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

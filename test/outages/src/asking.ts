import { LONGEST_ANSWER_MS } from './stated.ts';

/** What a caller saw. `status` 0: no answer came; `code` then says why. */
export type Told = {
  status: number;
  code: string;
  isPending: boolean;
  retryAfter: string | null;
  commandId: string | null;
  tookMs: number;
  text: string;
};

/** `waitS`: how long it may take until it is decided; without it as long as the API lets a caller wait who says nothing. */
export type Asked = { method: string; path: string; body?: unknown; key?: string; isStream?: boolean; waitS?: number };

/** Shorter than a caller waits at all. */
const PATIENT_S = 15;

/** One of several callers, who never waits longer than twice what is promised. */
export class Caller {
  readonly url: string;
  readonly #apiKey: string;

  constructor(url: string, apiKey: string) {
    this.url = url;
    this.#apiKey = apiKey;
  }

  async ask({ method, path, body, key, isStream = false, waitS }: Asked): Promise<Told> {
    const begun = performance.now();
    const seen = (status: number, headers: Headers, text: string): Told => {
      const { code = '', data } = jsonIn(text);
      const [retryAfter, commandId] = [headers.get('retry-after'), headers.get('x-command-id')];
      const tookMs = Math.round(performance.now() - begun);
      return { status, code, isPending: data?.state === 'pending', retryAfter, commandId, tookMs, text };
    };
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        signal: AbortSignal.timeout(2 * LONGEST_ANSWER_MS),
        headers: {
          authorization: `Bearer ${this.#apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
          ...(waitS === undefined ? {} : { prefer: `wait=${waitS}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!isStream || response.status !== 200) return seen(response.status, response.headers, await response.text());
      await response.body?.cancel(); // it has no end
      return seen(response.status, response.headers, '');
    } catch (error) {
      return { ...seen(0, new Headers(), ''), code: String(error) };
    }
  }

  /** The data of an answer that must be a success; a machine that is busy may take longer for it than callers wait who say nothing. */
  async data<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text, isPending } = await this.ask({ method, path, body, waitS: PATIENT_S });
    if (status < 200 || status > 299 || isPending) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? {} : JSON.parse(text).data) as T;
  }
}

type Body = { code?: string; data?: { state?: string } };

/** Pages, metrics and exports are no JSON. */
function jsonIn(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return {};
  }
}

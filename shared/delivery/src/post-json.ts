import type { Sent } from '@retrigger/ports/channel.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { errors } from 'undici';
import { guardedAgent, type Resolve } from './guarded-connect.ts';
import { literalTargetRefusal } from './private-address.ts';
import { addressRefused, failureOf, type TargetAnswer } from './target-answer.ts';

export type PosterOptions = { clock: Clock; allowPrivate: boolean; timeoutMs: number; resolve?: Resolve };

export type Poster = {
  /** Headers are made anew for each try. Never rejects. */
  post(url: string, body: string, headers: () => { [name: string]: string }, aborted: AbortSignal): Promise<Sent>;
  close(): Promise<void>;
};

const MOST_READ_BYTES = 65_536;

/**
 * Posts JSON to subscribers over a pool of kept-alive connections that never reaches a private address. The status is the answer: 2xx is delivered. Redirects are
 * not followed. `timeoutMs` bounds it all, from the lookup of the name to the last byte: an answer that drips after its status has its connection cut then.
 */
export function jsonPoster({ clock, allowPrivate, timeoutMs, resolve }: PosterOptions): Poster {
  const agent = guardedAgent({ allowPrivate, connectTimeoutMs: timeoutMs, ...(resolve === undefined ? {} : { resolve }) });
  return {
    async post(url, body, headers, aborted) {
      const refusal = literalTargetRefusal(url, allowPrivate);
      if (refusal !== undefined) return failed(messageOf(addressRefused(refusal)));
      const { origin, pathname, search } = new URL(url);
      const ending = new AbortController();
      const end = () => ending.abort();
      let isLate = false;
      const cancel = clock.timer(clock.now() + timeoutMs, () => {
        isLate = true;
        end();
      });
      aborted.addEventListener('abort', end);
      if (aborted.aborted) end();
      const over = () => {
        cancel();
        aborted.removeEventListener('abort', end);
      };
      const send = () =>
        agent.request({
          ...{ origin, path: pathname + search, method: 'POST', body, signal: ending.signal },
          headers: { 'user-agent': 'retrigger', 'content-type': 'application/json', ...headers() },
        });
      try {
        const answer = await send().catch((error) => (isStaleConnection(error) ? send() : Promise.reject(error)));
        void answer.body
          .dump({ limit: MOST_READ_BYTES })
          .catch(() => {})
          .finally(over);
        const { statusCode } = answer;
        return statusCode >= 200 && statusCode <= 299 ? { kind: 'delivered' } : failed(`It answered ${statusCode}`);
      } catch (error) {
        over();
        return failed(isLate ? `It did not answer within ${timeoutMs} ms` : messageOf(failureOf(error)));
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that its server closed just as it was used again: it met nobody. */
const isStaleConnection = (error: unknown): boolean => error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;

const failed = (reason: string): Sent => ({ kind: 'failed', reason });

const messageOf = (answer: TargetAnswer): string =>
  answer.kind === 'failed' ? answer.error.message.replace(/^The target('s)?/, (_, of) => (of === undefined ? 'It' : 'Its')) : '';

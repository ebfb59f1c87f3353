import { setTimeout as pause } from 'node:timers/promises';
import { type ClientOptions, problemIn, queryText, WORTH_ANOTHER_TRY } from './http-call.ts';
import { ProblemError, problemOf } from './outcome.ts';
import { type Message, SseMessages } from './sse-messages.ts';
import type { EventType, TaskEvent } from './types.ts';

export type StreamQuery = { types?: EventType[]; taskId?: string };
/** `lastEventId`: go on behind the event that came with this id, also one of another process; from now on when absent. */
export type StreamOptions = { lastEventId?: string; signal?: AbortSignal };
export type StreamedEvent = { id: string; event: TaskEvent };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The server sends something every 15 s; a connection that is silent for so long is dead. */
const SILENCE_MS = 45_000;

/**
 * Events as they happen, until `signal` aborts or the caller's loop is left.
 * E1: whatever breaks a connection, the next one goes on where it was: nothing is missed and nothing comes twice.
 * E2: it is tried for ever, with pauses that grow to 5 s and are no shorter than `Retry-After` says.
 * E3: what another try can't mend (400, 401, 403) throws a ProblemError.
 */
export async function* eventStream(
  { url, key, fetch: send = fetch }: ClientOptions,
  path: string,
  query: StreamQuery,
  { lastEventId, signal }: StreamOptions,
): AsyncGenerator<StreamedEvent, void> {
  const address = `${url.replace(/\/+$/, '')}${path}${queryText(query)}`;
  let place = lastEventId;
  for (let failures = 0; !signal?.aborted; failures++) {
    const connection = new AbortController();
    const ending = AbortSignal.any([connection.signal, ...(signal === undefined ? [] : [signal])]);
    let afterMs = 0;
    try {
      const headers = {
        authorization: `Bearer ${key}`,
        accept: 'text/event-stream',
        ...(place === undefined ? {} : { 'last-event-id': place }),
      };
      const opened = await withinSilence(connection, () => send(address, { headers, signal: ending, redirect: 'manual' }));
      if (opened !== undefined && isStream(opened)) {
        place ??= opened.headers.get('last-event-id') ?? undefined; // E1: also what comes before the first event
        for await (const { id, data } of messagesOf(opened, connection)) {
          if (signal?.aborted) return;
          place = id ?? place;
          failures = 0;
          yield { id: place ?? '', event: eventIn(data) };
        }
      } else if (opened !== undefined) afterMs = await waitOf(opened);
    } finally {
      connection.abort();
    }
    const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    await pause(Math.max(pauseMs, afterMs), undefined, signal === undefined ? {} : { signal }).catch(() => {}); // E2
  }
}

function eventIn(data: string): TaskEvent {
  try {
    return JSON.parse(data) as TaskEvent;
  } catch {
    throw new ProblemError(problemOf('unreadable', 'The stream holds what is no event'));
  }
}

const isStream = ({ status, headers }: Response): boolean =>
  status === 200 && (headers.get('content-type') ?? '').startsWith('text/event-stream');

/** How long to wait before another try. @throws ProblemError when there is no use in one (E3). */
async function waitOf(refused: Response): Promise<number> {
  const text = await refused.text().catch(() => '');
  if (!WORTH_ANOTHER_TRY.has(refused.status)) throw new ProblemError(problemIn(refused, text));
  return 1_000 * Number(refused.headers.get('retry-after') ?? 0) || 0;
}

async function* messagesOf({ body }: Response, connection: AbortController): AsyncGenerator<Message, void> {
  if (body === null) return;
  const messages = new SseMessages();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const chunk = await withinSilence(connection, () => reader.read());
    if (chunk === undefined || chunk.done) return;
    yield* messages.take(chunk.value);
  }
}

/** What this resolves with; undefined when it rejects, which it does when it takes too long. */
async function withinSilence<T>(connection: AbortController, ask: () => Promise<T>): Promise<T | undefined> {
  const silent = setTimeout(() => connection.abort(), SILENCE_MS);
  try {
    return await ask();
  } catch {
    return undefined;
  } finally {
    clearTimeout(silent);
  }
}

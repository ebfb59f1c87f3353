import type { Clock } from '@retrigger/ports/clock.ts';
import type { LiveEvents } from './live-events.ts';
import type { LiveTail } from './live-tail.ts';
import type { Reply } from './reply.ts';

const COMMENT_EVERY_MS = 15_000;
/** A client that takes nothing for so long is dropped; it comes back with `Last-Event-ID`. */
const SLOW_MS = 30_000;
/** A message to a client ends after the event that reaches this. */
const MESSAGE_CHARACTERS = 65_536;

/** So long a client's credentials count as good. With what is remembered of a key, one that was revoked shows nothing 5 s later. */
const GOOD_FOR_MS = 1_000;

/**
 * What a client wants to see, and the place that it has got to; null = from now on. `isWelcome` says whether its credentials still let it in; rejects when nobody
 * can tell.
 */
export type Followed = {
  tenantId: string;
  types: readonly string[];
  taskId: string | null;
  after: string | null;
  isWelcome(): Promise<boolean>;
};

/** What is known of the client's connection: when the server stops, and how to cut it off. */
export type Connection = { stopping?: AbortSignal; outgoing?: { destroy(): void } };

/**
 * Server-sent events.
 * S1: the next message is made when the client has taken the one before, so a client costs one message of memory and a place; one that takes nothing for 30 s is dropped.
 * S2: a client's place grows by what it was given and by nothing else, over the store and the tail alike: no gap and no repeat between the two, nor after a resumption.
 * S3: it ends when the client goes, or when `stopping` aborts.
 * S4: nothing is shown to a client whose credentials have ceased to be good (revoked, expired, erased), or can't be looked up; it is hung up on instead, while
 * nothing happens with the next comment.
 * S5: comments go on when the clock was set back, or what stands between us and the client would take the connection for dead.
 */
export async function streamReply(live: LiveEvents, clock: Clock, followed: Followed, { stopping, outgoing }: Connection): Promise<Reply> {
  const { tenantId } = followed;
  const tail = await live.join(tenantId);
  const gone = new AbortController();
  const follower = new Follower(live, clock, tail, followed, gone.signal);
  const end = (): void => {
    if (gone.signal.aborted) return;
    gone.abort();
    live.leave(tenantId);
    stopping?.removeEventListener('abort', end);
  };
  stopping?.addEventListener('abort', end);
  if (stopping?.aborted) end();
  const encoder = new TextEncoder();
  let isOpening = true;
  let isCancelled = false;
  let cancelSlow = (): void => {};
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        cancelSlow();
        const text = isOpening ? ': connected\n\n' : await follower.next();
        isOpening = false;
        if (text === null) {
          end();
          if (!isCancelled) controller.close();
          return;
        }
        controller.enqueue(encoder.encode(text));
        cancelSlow = clock.timer(clock.now() + SLOW_MS, () => {
          end(); // S1
          controller.close();
          outgoing?.destroy(); // or what it has not taken would keep the connection open
        });
      },
      cancel() {
        isCancelled = true;
        cancelSlow();
        end();
      },
    },
    { highWaterMark: 0 },
  );
  const headers = {
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    'last-event-id': live.idOf(tenantId, followed.after ?? tail.end), // for whoever is dropped before the first event
  };
  return { status: 200, body, headers };
}

/** One client's way along the events. */
class Follower {
  #place: string;
  #commentAt: number;
  #welcomeUntil: number;
  readonly #live: LiveEvents;
  readonly #clock: Clock;
  readonly #tail: LiveTail;
  readonly #followed: Followed;
  readonly #gone: AbortSignal;

  constructor(live: LiveEvents, clock: Clock, tail: LiveTail, followed: Followed, gone: AbortSignal) {
    this.#live = live;
    this.#clock = clock;
    this.#tail = tail;
    this.#followed = followed;
    this.#gone = gone;
    this.#place = followed.after ?? tail.end;
    this.#commentAt = clock.now() + COMMENT_EVERY_MS;
    this.#welcomeUntil = clock.now() + GOOD_FOR_MS;
  }

  /** The next message: events, or a comment every 15 s; null = it is over. */
  async next(): Promise<string | null> {
    while (!this.#gone.aborted) {
      const leftMs = this.#commentAt - this.#clock.now();
      if (leftMs <= 0 || leftMs > COMMENT_EVERY_MS) {
        // S5
        this.#commentAt = this.#clock.now() + COMMENT_EVERY_MS;
        return (await this.#isWelcome(true)) ? ':\n\n' : null;
      }
      if (this.#place >= this.#tail.end) await this.#more();
      else {
        const text = this.#place < this.#tail.start ? await this.#fromStore() : this.#fromTail();
        if (text !== '') return (await this.#isWelcome(false)) ? text : null;
      }
    }
    return null;
  }

  /** S4. */
  async #isWelcome(whenUnknown: boolean): Promise<boolean> {
    const now = this.#clock.now();
    if (now < this.#welcomeUntil && this.#welcomeUntil - now <= GOOD_FOR_MS) return true;
    const isWelcome = await this.#followed.isWelcome().catch(() => undefined);
    if (isWelcome) this.#welcomeUntil = now + GOOD_FOR_MS;
    return isWelcome ?? whenUnknown;
  }

  async #fromStore(): Promise<string> {
    const { tenantId, types } = this.#followed;
    const { events, end } = await this.#live.read(tenantId, types, this.#place, this.#tail.start);
    this.#place = end; // S2
    return events
      .filter((event) => this.#isWanted(event))
      .map(({ text }) => text)
      .join('');
  }

  #fromTail(): string {
    let message = '';
    for (const event of this.#tail.after(this.#place)) {
      this.#place = event.place; // S2
      if (this.#isWanted(event)) message += event.text;
      if (message.length >= MESSAGE_CHARACTERS) return message;
    }
    this.#place = this.#tail.end;
    return message;
  }

  #isWanted({ eventType, taskId }: { eventType: string; taskId: string }): boolean {
    const { types, taskId: wanted } = this.#followed;
    return types.includes(eventType) && (wanted === null || wanted === taskId);
  }

  /** Until the tail has grown, a comment is due, or it is over. */
  #more(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancelTimer();
        forget();
        this.#gone.removeEventListener('abort', end);
        resolve();
      };
      const cancelTimer = this.#clock.timer(this.#commentAt, end);
      const forget = this.#tail.onMore(end);
      this.#gone.addEventListener('abort', end);
      if (this.#gone.aborted) end();
    });
  }
}

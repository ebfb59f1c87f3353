import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Publisher } from './published.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import { slowness } from './slowness.ts';

/** A tenant's credentials at the gateways, and who publishes commands for it; null where there is no Kafka. */
export type Tenant = { id: string; key: string; doors: string[]; publisher: Publisher | null };

/** A decided answer. */
export type Answer = { status: number; text: string; commandId: string; body: JsonObject };

const PAUSE_MS = 100;
const TRY_MS = 8_000;
/** A command that has no outcome so long after the last fault, on a machine that is not full, is lost. */
const DECIDED_WITHIN_MS = 60_000;
/** One in so many asks once more after it has been told, and must be told the same. */
const ASKS_AGAIN = 4;
/** What says "not now", and binds nobody. */
const LATER = [0, 429, 503];

/**
 * Somebody who sends a command under one idempotency key until it is decided, to whichever gateway comes up, as the API tells clients to.
 */
export class User {
  readonly tenant: Tenant;
  readonly recorder: Recorder;
  readonly random: Random;

  constructor(tenant: Tenant, recorder: Recorder, random: Random) {
    this.tenant = tenant;
    this.recorder = recorder;
    this.random = random;
  }

  /** Undefined when it was never decided, or decided in a way that can't be: both are noted. */
  async ask(method: 'POST' | 'PUT', path: string, body: JsonObject, key: string, allowed: number[]): Promise<Answer | undefined> {
    const ask = () => this.untilDecided(key, () => this.once(method, path, body, this.tenant.key, key));
    const first = await ask();
    if (first === undefined) return undefined;
    if (this.random.between(1, ASKS_AGAIN) === 1) {
      const again = await ask();
      if (again !== undefined && (again.status !== first.status || again.text !== first.text))
        this.note(`${key}: was told ${first.status} ${first.text} and then ${again.status} ${again.text}`);
    }
    if (allowed.includes(first.status)) return first;
    this.note(`${key}: ${method} ${path} was answered ${first.status} ${first.text}`);
    return undefined;
  }

  pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  note = (what: string): void => void this.recorder.wrong.push(`${this.tenant.id}: ${what}`);

  /** Tries until the answer decides something; undefined, and noted under its name, when none has after long enough. */
  async untilDecided(key: string, once: () => Promise<Answer>): Promise<Answer | undefined> {
    for (;;) {
      const answer = await once();
      const isPending = answer.status === 202 && answer.text.includes('"state":"pending"');
      if (!isPending && !LATER.includes(answer.status)) return answer;
      const what = isPending ? 'pending' : answer.status === 0 ? 'unreachable' : String(answer.status);
      this.recorder.notDecided(what);
      const passedMs = performance.now() - (this.recorder.wholeSince ?? Number.POSITIVE_INFINITY);
      if (passedMs > DECIDED_WITHIN_MS / 2 && passedMs > DECIDED_WITHIN_MS * (await slowness())) {
        this.note(`${key}: has no outcome ${passedMs.toFixed(0)} ms after the last fault; the last was ${what} ${answer.text}`);
        return undefined;
      }
      await this.pause(PAUSE_MS + this.random.between(0, PAUSE_MS));
    }
  }

  /** One call with an API key; status 0: no answer came. */
  async once(method: string, path: string, body: JsonObject | undefined, apiKey: string, key?: string): Promise<Answer> {
    try {
      const response = await fetch(`${this.random.pick(this.tenant.doors)}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TRY_MS),
      });
      const text = await response.text();
      return { status: response.status, text, commandId: response.headers.get('x-command-id') ?? '', body: bodyOf(text) };
    } catch (error) {
      return { status: 0, text: String(error), commandId: '', body: {} };
    }
  }
}

function bodyOf(text: string): JsonObject {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

import type { Client } from './client.ts';
import type { Source } from './executor.ts';
import { ProblemError } from './outcome.ts';

/** A claim that waits when the executor stops is not broken off, for it may have been given something: a stop takes up to this long. */
const WAIT_MS = 2_000;
const MOST_AT_ONCE = 100;
/** Of a type: while one is decided another waits for what comes next. */
const MOST_ASKED = 4;

/** Executions by HTTP claims: long polls, each with an idempotency key of its own, so that one whose answer was lost gets the same executions again. */
export const httpClaims = (client: Client, { waitMs = WAIT_MS }: { waitMs?: number } = {}): Source => ({
  mostAsked: MOST_ASKED,
  async take(type, room) {
    const outcome = await client.claim({ types: [type], wait: `${waitMs}ms`, max: Math.min(room, MOST_AT_ONCE) });
    if (!outcome.ok) throw new ProblemError(outcome.problem);
    return outcome.data;
  },
  close: async () => {},
});

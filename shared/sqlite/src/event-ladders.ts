import type { SQLInputValue, StatementSync } from 'node:sqlite';

/** Events between two rungs; counting so many takes a good half millisecond. */
export const RUNG_EVENTS = 5_000;
/** Ladders that are held; one is made anew when it is missed. */
const HELD_LADDERS = 5_000;

/** Sorts behind every event's id. */
const LAST_ID = '\u{10ffff}';

type Rung = { at: number; eventId: string };

/** Of an index range in order of (at, event_id): `step` gives the place of the event behind a place and an offset, `count` how many there are behind a place. Both before a time. */
export type RangeStatements = { step: StatementSync; count: StatementSync };

/**
 * Counts of long ranges of an index without reading them: the place of every 5,000th event of a range is remembered, so that a count reads less than 5,000 entries at
 * each end. Measured with 1,000,000 events: 1 ms instead of 160 ms, and 160 ms once after a start, in parts of 1 ms with turns for others between.
 * Q2: when an event is removed, or comes before what was counted (out of an archive), all are made anew.
 * Q1: it rests on every event before the time that is asked for being there already and none coming: `before` is at most the lowest mark.
 */
export class EventLadders {
  #ladders = new Map<string, Rung[]>();
  #countedBefore = Number.MIN_SAFE_INTEGER;

  /** How many events of a range (`scope`) have a time from `from` on and before `before`, in epoch ms. */
  async count({ step, count }: RangeStatements, scope: SQLInputValue[], from: number, before: number): Promise<number> {
    this.#countedBefore = Math.max(this.#countedBefore, before);
    const key = scope.join('\n');
    const rungs = this.#ladders.get(key) ?? [];
    for (;;) {
      const { at, eventId } = rungs.at(-1) ?? BOTTOM;
      const next = step.get(...scope, at, eventId, before, RUNG_EVENTS - 1);
      if (next === undefined) break;
      rungs.push({ at: next.at as number, eventId: next.event_id as string });
      await new Promise(setImmediate);
      const grown = this.#ladders.get(key); // by somebody else meanwhile
      if (grown !== undefined && grown !== rungs) return this.count({ step, count }, scope, from, before);
      if (grown === undefined) this.#hold(key, rungs);
    }
    const below = (time: number): number => {
      const passed = rungsBelow(rungs, time);
      const { at, eventId } = rungs[passed - 1] ?? BOTTOM;
      return passed * RUNG_EVENTS + Number(count.get(...scope, at, eventId, time)?.total);
    };
    return from >= before ? 0 : below(before) - (from <= BOTTOM.at ? 0 : below(from));
  }

  /** Q2: an event with this time (epoch ms) was added. */
  added(at: number): void {
    if (at < this.#countedBefore) this.forget();
  }

  forget(): void {
    this.#ladders = new Map();
    this.#countedBefore = Number.MIN_SAFE_INTEGER;
  }

  #hold(key: string, rungs: Rung[]): void {
    this.#ladders.set(key, rungs);
    for (const oldest of this.#ladders.keys()) {
      if (this.#ladders.size <= HELD_LADDERS) return;
      this.#ladders.delete(oldest);
    }
  }
}

/** Before every event, also those before 1970. */
const BOTTOM: Rung = { at: Number.MIN_SAFE_INTEGER, eventId: LAST_ID };

/** How many rungs have an earlier time. */
function rungsBelow(rungs: Rung[], time: number): number {
  let [low, high] = [0, rungs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rungs[middle]?.at ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { EventFilter } from '@retrigger/ports/event-store.ts';
import type { Charge, Limit, Limiter } from '@retrigger/ports/limiter.ts';

/** A clock that stands until a test moves it. */
export class FakeClock implements Clock {
  #now = Date.parse('2026-03-04T05:06:07.008Z');
  #timers = new Set<{ at: number; fire: () => void }>();

  now(): number {
    return this.#now;
  }

  timer(at: number, fire: () => void): () => void {
    const timer = { at, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers wait. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Somebody sets its calendar; its timers wait for as long as they would have. */
  set(now: number): void {
    for (const timer of this.#timers) timer.at += now - this.#now;
    this.#now = now;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.fire();
    }
  }
}

/** Answers in memory; each expectation ends with the clock. */
export class FakeAnswers implements Answers {
  readonly address = 'this-process';
  readonly #waiting = new Map<string, Set<(answer: Answer | undefined) => void>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(commandId: string, timeoutMs: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(commandId) ?? new Set();
      this.#waiting.set(commandId, waiting.add(resolve));
      this.#clock.timer(this.#clock.now() + timeoutMs, () => resolve(undefined));
    });
  }

  /** Gives the answer later, as another process would. */
  answer(answer: Answer): void {
    setImmediate(() => {
      for (const resolve of this.#waiting.get(answer.commandId) ?? []) resolve(answer);
      this.#waiting.delete(answer.commandId);
    });
  }

  /** Whether anybody listens for this command. */
  isExpected(commandId: string): boolean {
    return this.#waiting.has(commandId);
  }

  async give(_address: string, answers: Answer[]): Promise<void> {
    for (const answer of answers) this.answer(answer);
  }

  async close(): Promise<void> {}
}

/** Counts what is charged; refuses at the limits' points, never gives a window back. */
export class FakeLimiter implements Limiter {
  readonly used = new Map<string, number>();

  async charge(limits: Limit[], cost: number): Promise<Charge> {
    for (const { name, key, points, cost: own = cost } of limits) {
      const used = this.used.get(key) ?? 0;
      if (used + own > points) return { kind: 'limited', name, points, remaining: points - used, retryAfterMs: 1_500 };
    }
    for (const { key, cost: own = cost } of limits) this.used.set(key, (this.used.get(key) ?? 0) + own);
    return { kind: 'charged', tightest: null };
  }

  async refund(limits: Limit[], cost: number): Promise<void> {
    for (const { key, cost: own = cost } of limits) this.used.set(key, (this.used.get(key) ?? 0) - own);
  }

  async close(): Promise<void> {}
}

/** Resolves when everything that is under way has got as far as it can without a clock. */
export async function settled(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

export const found = <V>(map: Map<string, V>, keys: string[]): Map<string, V> =>
  new Map(keys.flatMap((key) => (map.has(key) ? [[key, map.get(key) as V] as const] : [])));

export function matching(events: StoredEvent[], key: string, { types, from, before, actorId }: EventFilter): StoredEvent[] {
  return events.filter(
    ({ key: k, event: e }) =>
      k === key &&
      (types?.includes(e.eventType) ?? true) &&
      (from === undefined || e.timestamp >= from) &&
      (before === undefined || e.timestamp < before) &&
      (actorId === undefined || e.actor.id === actorId),
  );
}

import type { Chance } from './chance.ts';
import { InjectedFault, type Operation, type Process, type Timer } from './process.ts';

const TRACED = 5_000;
/** Far more than any run needs: somebody goes round in circles. */
export const MOST_STEPS = 200_000;

/** How often an operation goes wrong: without effect, or with effect but an answer that is lost; or takes long (up to `slowMs`). */
export type Rates = { fails: number; lost: number; slow: number; slowMs: number };
export const NO_FAULTS: Rates = { fails: 0, lost: 0, slow: 0, slowMs: 0 };

/** `of` multi-document operations each document is a step of its own, and somebody else's steps may come between. */
export type Work<T> = { label: string; steps?: (() => void)[]; finish: () => T; isOrdered?: boolean; isSafe?: boolean };

/**
 * Virtual time and the order of everything that happens. Every call of a port is an operation that waits here; chance picks the next one. What a process
 * does between two operations happens at once, so whoever dies, dies at an await.
 */
export class Scheduler {
  /** Milliseconds since 1970, as nobody's clock shows them. */
  now: number;
  /** Counts operations and timers: an order for all that happens. */
  steps = 0;
  rates: Rates = NO_FAULTS;
  readonly trace: string[] = [];
  readonly #pending: Operation[] = [];
  readonly #timers: Timer[] = [];
  readonly #chance: Chance;

  constructor(chance: Chance, now: number) {
    this.#chance = chance;
    this.now = now;
  }

  note(who: string, what: string): void {
    this.trace.push(`${((this.now % 86_400_000) / 1_000).toFixed(3)} ${who}: ${what}`);
    if (this.trace.length > 2 * TRACED) this.trace.splice(0, TRACED);
  }

  /** An operation of a process. A dead one's never ends; ordered ones of a process end in the order in which they were called. */
  operation<T>(process: Process, { label, steps = [], finish, isOrdered = false, isSafe = false }: Work<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!process.isAlive) return;
      const operation: Operation = {
        ...{ process, label, steps, isSafe, isOrdered, done: 0 },
        end: (isLost) => {
          try {
            const value = finish();
            if (isLost) reject(new InjectedFault(`${label}: the answer is lost`));
            else resolve(value);
          } catch (error) {
            reject(error);
          }
        },
        fail: () => reject(new InjectedFault(`${label} fails`)),
        complete: () => {
          try {
            finish();
          } catch {} // nobody is left to hear of it
        },
      };
      if (isOrdered) {
        process.lane.push(operation);
        if (process.lane.length > 1) return;
      }
      this.#start(operation);
    });
  }

  /** Calls `fire` when the owner's clock has reached `at`; with no owner, when it is that time. */
  timer(owner: Process | null, at: number, fire: () => void): () => void {
    const localAt = Math.ceil(at); // clocks show whole milliseconds, and no timer fires early by its clock
    const timer: Timer = { owner, localAt, at: localAt - (owner?.clockOffset ?? 0), fire, isCancelled: false };
    if (owner === null || owner.isAlive) this.#insert(timer);
    return () => {
      timer.isCancelled = true;
    };
  }

  after(ms: number, fire: () => void): void {
    this.timer(null, this.now + ms, fire);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Something that a process waits for from outside, at a moment that chance picks. */
  soon(process: Process, label: string, act: () => void): void {
    void this.operation(process, { label, finish: act, isSafe: true });
  }

  /** Happens just before that process's next operation but `count`: when it is busy, not in one of the many moments in which it waits. */
  ambush(process: Process, count: number, act: () => void): void {
    process.ambushes.push({ left: count, act });
  }

  jump(process: Process, ms: number): void {
    process.clockOffset += ms;
    const moved = this.#timers.filter(({ owner }) => owner === process);
    for (const timer of moved) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.at = timer.localAt - process.clockOffset;
      this.#insert(timer);
    }
  }

  /** Nothing of it goes on until then. */
  pause(process: Process, until: number): void {
    process.pausedUntil = Math.max(process.pausedUntil, until);
  }

  /** The process ends here. Of what it had asked for some takes effect, and of several documents a prefix. */
  kill(process: Process): void {
    process.isAlive = false;
    const unordered = this.#pending.filter((operation) => operation.process === process && !operation.isOrdered);
    for (const operation of unordered) this.#endHalfway(operation);
    for (const operation of process.lane.splice(0)) if (!this.#endHalfway(operation)) break;
  }

  /** Goes on until `isOver` says so; it is asked after each step. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver() && this.steps < MOST_STEPS) {
      await drained();
      this.steps++;
      const timer = this.#nextTimer();
      if (this.#pending.length === 0 || (timer !== undefined && timer.at <= this.now && this.#chance.is(0.5))) {
        if (timer === undefined) return;
        this.#timers.shift();
        this.now = Math.max(this.now, timer.at);
        timer.fire();
      } else this.#step();
    }
  }

  #nextTimer(): Timer | undefined {
    for (let timer = this.#timers[0]; timer !== undefined; timer = this.#timers[0]) {
      const { owner } = timer;
      if (!timer.isCancelled && (owner === null || owner.isAlive)) {
        if (owner === null || owner.pausedUntil <= Math.max(this.now, timer.at)) return timer;
        this.#timers.shift();
        timer.at = owner.pausedUntil;
        this.#insert(timer);
      } else this.#timers.shift();
    }
    return undefined;
  }

  #insert(timer: Timer): void {
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.at ?? 0) <= timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
  }

  #start(operation: Operation): void {
    const { slow, slowMs } = this.rates;
    if (this.#chance.is(slow)) this.after(this.#chance.between(0, slowMs), () => this.#pending.push(operation));
    else this.#pending.push(operation);
  }

  #step(): void {
    const index = Math.floor(this.#chance.next() * this.#pending.length);
    const operation = this.#pending[index];
    const last = this.#pending.pop();
    if (operation === undefined || last === undefined) return;
    if (last !== operation) this.#pending[index] = last;
    const { process } = operation;
    if (!process.isAlive) return;
    if (process.pausedUntil > this.now) {
      this.after(process.pausedUntil - this.now, () => this.#pending.push(operation));
      return;
    }
    this.now += this.#chance.between(0, 2);
    if (process.ambushes.length > 0 && this.#isAmbushed(process)) this.#pending.push(operation);
    else this.#perform(operation);
  }

  #isAmbushed(process: Process): boolean {
    const [ambush] = process.ambushes;
    if (ambush === undefined || ambush.left-- > 0) return false;
    process.ambushes.shift();
    ambush.act();
    return true;
  }

  #perform(operation: Operation): void {
    const { process, label, steps, isSafe } = operation;
    const { fails, lost } = this.rates;
    if (!isSafe && this.#chance.is(fails)) {
      this.note(process.name, `${label} FAILS after ${operation.done} of ${steps.length}`);
      this.#leave(operation);
      operation.fail();
      return;
    }
    const left = steps.length - operation.done;
    if (left > 1 && this.#chance.is(0.5)) {
      this.#advance(operation, this.#chance.between(1, left - 1));
      this.#pending.push(operation);
      return;
    }
    this.#advance(operation, left);
    const isLost = !isSafe && this.#chance.is(lost);
    this.note(process.name, isLost ? `${label}, ANSWER LOST` : label);
    this.#leave(operation);
    operation.end(isLost);
  }

  #advance(operation: Operation, count: number): void {
    for (const step of operation.steps.slice(operation.done, operation.done + count)) step();
    operation.done += count;
  }

  #leave({ process, isOrdered }: Operation): void {
    if (!isOrdered) return;
    process.lane.shift();
    const [next] = process.lane;
    if (next !== undefined) this.#start(next);
  }

  /** Returns whether all of it took effect. */
  #endHalfway(operation: Operation): boolean {
    const left = operation.steps.length - operation.done;
    const count = this.#chance.between(0, left);
    this.#advance(operation, count);
    if (left > 0) this.note(operation.process.name, `${operation.label}: ${count} of the last ${left} took effect`);
    const isWhole = count === left && (left > 0 || this.#chance.is(0.5));
    if (isWhole && !operation.isSafe) operation.complete();
    return isWhole;
  }
}

const drained = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

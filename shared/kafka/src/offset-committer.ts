import type { Clock } from '@retrigger/ports/clock.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { classifyKafkaError } from './kafka-errors.ts';
import type { PartitionLease } from './partition-lease.ts';
import { backoffMs, pause } from './pause.ts';

const LONGEST_PAUSE_MS = 2_000;
/** Brokers store each request as records of their own, however little it moves: at 200 commands a second that was a third of what Kafka did. */
const SEND_EVERY_MS = 100;

/** Sends offsets under the generation that the member is in when it is called, once, without trying again. */
export type SendOffsets = (offsets: { partition: number; offset: string }[]) => Promise<void>;

type Wanted = { next: number; lease: PartitionLease; done: ((counted: boolean) => void)[] };

/**
 * Moves the group's offsets for one member.
 * O1: an offset never moves back.
 * O2: an ended lease's offset no more moves: that is looked at, without a pause in between, when the request is made, and the broker refuses a request that
 * is under way while the generation changes.
 * O3: a commit resolves with true when the group's offset is there, with false when its lease has ended; in between it is tried again.
 * O4: of a member that stops, what can't be committed at the first try is left to the next owner, so that no broker's absence holds up a stop.
 * O5: one request is on its way at a time, and the next goes 100 ms after it was answered, with all that came meanwhile; before a join and of a member that stops, at once.
 */
export class OffsetCommitter {
  readonly #send: SendOffsets;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #ended: AbortSignal;
  readonly #wanted = new Map<number, Wanted>();
  #sending = false;
  #blocked = false;
  #gaveUp = false;
  #hurry = new AbortController();

  /** `ended` aborts when the member is no more; its commits then resolve without effect. */
  constructor(send: SendOffsets, clock: Clock, observer: Observer, ended: AbortSignal) {
    this.#send = send;
    this.#clock = clock;
    this.#observer = observer;
    this.#ended = ended;
    ended.addEventListener('abort', () => {
      this.hurry();
      this.#flush();
    });
  }

  commit(lease: PartitionLease, next: number): Promise<boolean> {
    if (lease.ended || next <= lease.committed) return Promise.resolve(!lease.ended); // O1, O2
    return new Promise((resolve) => {
      const wanted = this.#wanted.get(lease.partition);
      if (wanted?.lease === lease) {
        wanted.next = Math.max(wanted.next, next);
        wanted.done.push(resolve);
      } else {
        for (const done of wanted?.done ?? []) done(false);
        this.#wanted.set(lease.partition, { next, lease, done: [resolve] });
      }
      this.#flush();
    });
  }

  /** O5: a join comes, or an end. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** While a join is under way nothing is sent. */
  block(blocked: boolean): void {
    this.#blocked = blocked;
    if (!blocked && !this.#ended.aborted && !this.#gaveUp) this.#hurry = new AbortController();
    this.#flush();
  }

  /** O4 */
  giveUp(): void {
    this.#gaveUp = true;
    this.hurry();
    this.#flush();
  }

  #flush(): void {
    if (!this.#sending) void this.#run();
  }

  async #run(): Promise<void> {
    this.#sending = true;
    for (let failures = 0; ; ) {
      this.#forgetEnded();
      if (this.#wanted.size === 0 || this.#blocked) break;
      const round = [...this.#wanted.values()];
      this.#wanted.clear();
      try {
        await this.#send(round.map(({ next, lease }) => ({ partition: lease.partition, offset: String(next) })));
        failures = 0;
        for (const { next, lease, done } of round) {
          lease.committed = Math.max(lease.committed, next);
          for (const resolve of done) resolve(true); // O3
        }
        await pause(this.#clock, SEND_EVERY_MS, this.#hurry.signal); // O5
      } catch (error) {
        const failure = classifyKafkaError(error);
        if (!failure.retry && failure.code !== 'fenced')
          this.#observer.log('error', 'offsets could not be committed; it is tried again', { ...failure });
        if (this.#gaveUp)
          for (const resolve of round.flatMap(({ done }) => done)) resolve(false); // O4
        else for (const wanted of round) this.#again(wanted);
        await pause(this.#clock, backoffMs(failures++, LONGEST_PAUSE_MS), this.#ended);
      }
    }
    this.#sending = false;
  }

  /** What failed is wanted again, unless the same lease, or a later one, has asked for more meanwhile. */
  #again(failed: Wanted): void {
    const later = this.#wanted.get(failed.lease.partition);
    if (later === undefined) this.#wanted.set(failed.lease.partition, failed);
    else if (later.lease === failed.lease) {
      later.next = Math.max(later.next, failed.next);
      later.done.push(...failed.done);
    } else for (const done of failed.done) done(false);
  }

  /** O2, O4 */
  #forgetEnded(): void {
    for (const [partition, { lease, done }] of this.#wanted) {
      if (!lease.ended && !this.#ended.aborted && !(this.#gaveUp && this.#blocked)) continue;
      this.#wanted.delete(partition);
      for (const resolve of done) resolve(false);
    }
  }
}

import type { Clock } from '@retrigger/ports/clock.ts';
import type { LogRecord, RecordHandler } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { backoffMs, pause } from './pause.ts';

/** A handler is given at most this much at once. */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 1024 * 1024;
/** Read ahead up to here, then the partition is not fetched until half of it is gone. */
const BUFFER_BYTES = 1024 * 1024;
const LONGEST_PAUSE_MS = 10_000;

export type LeaseOptions = {
  clock: Clock;
  observer: Observer;
  handler: RecordHandler;
  /** Asks for the partition not to be fetched, or to be fetched again. */
  throttle(partition: number, paused: boolean): void;
  commit(lease: PartitionLease, next: number): Promise<boolean>;
};

/**
 * One partition, from its assignment to this member until it is lost.
 * Q1: the handler gets every record once, in offset order, the next ones when it has resolved; a throw brings the same records again after a pause.
 * Q2: what the broker sends twice (from the committed offset, after a rejoin) is dropped.
 * Q3: once ended, no further batch begins and no commit counts.
 * Records wait here and not in KafkaJS's fetch loop, where one slow partition would hold up all others and the heartbeats with them.
 */
export class PartitionLease {
  readonly partition: number;
  readonly #options: LeaseOptions;
  readonly #ending = new AbortController();
  #buffer: LogRecord[] = [];
  #bytes = 0;
  /** The offset that comes next; null = whatever comes first. */
  #expected: number | null = null;
  #full = false;
  #held = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  /** What the group has committed, as far as this lease moved it. */
  committed = -1;

  constructor(partition: number, options: LeaseOptions) {
    this.partition = partition;
    this.#options = options;
  }

  get ended(): boolean {
    return this.#ending.signal.aborted;
  }

  get full(): boolean {
    return this.#full;
  }

  /** Takes fetched records in. `end` is the partition's end: when it lies before what was already had, the log is another one than it was. */
  offer(records: LogRecord[], end: number): void {
    if (this.ended) return;
    if (this.#expected !== null && end < this.#expected) this.#expected = null;
    for (const record of records) {
      if (this.#expected !== null && record.offset < this.#expected) continue; // Q2
      this.#expected = record.offset + 1;
      this.#buffer.push(record);
      this.#bytes += sizeOf(record);
    }
    if (!this.#full && this.#bytes >= BUFFER_BYTES) this.#throttle(true);
    this.#wake?.();
  }

  /** Begins to hand out records once `predecessor` (the same partition's last batch in this process) has ended. */
  start(predecessor: Promise<void>): void {
    if (!this.ended) void predecessor.then(() => this.#run());
  }

  /** No further batch begins until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#wake?.();
  }

  /** Resolves when the running batch has ended. */
  async idle(): Promise<void> {
    await this.#running;
  }

  end(): void {
    this.#ending.abort(); // Q3
    this.#buffer = [];
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.ended) {
      if (this.#held || this.#buffer.length === 0) await this.#sleep();
      else await this.#deliver(this.#take());
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Q1 */
  async #deliver(records: LogRecord[]): Promise<void> {
    for (let failures = 0; !this.ended; ) {
      if (this.#held) {
        await this.#sleep();
        continue;
      }
      if (await this.#handled(records, failures)) return;
      await pause(this.#options.clock, backoffMs(failures++, LONGEST_PAUSE_MS), this.#ending.signal);
    }
  }

  /** Whether the handler took them. */
  async #handled(records: LogRecord[], failures: number): Promise<boolean> {
    const { handler, commit, observer } = this.#options;
    const batch = (async () => handler.batch(this.partition, records, (next) => commit(this, next)))();
    this.#running = batch.catch(() => undefined);
    try {
      await batch;
      return true;
    } catch (error) {
      observer.log('error', 'a batch failed; it is given again', {
        topic: records[0]?.topic,
        partition: this.partition,
        offset: records[0]?.offset,
        failures,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return false;
    }
  }

  #take(): LogRecord[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#buffer) {
      bytes += sizeOf(record);
      if (count > 0 && (bytes > BATCH_BYTES || count >= BATCH_RECORDS)) break;
      count++;
      this.#bytes -= sizeOf(record);
    }
    const records = this.#buffer.splice(0, count);
    if (this.#full && this.#bytes < BUFFER_BYTES / 2) this.#throttle(false);
    return records;
  }

  #throttle(full: boolean): void {
    this.#full = full;
    this.#options.throttle(this.partition, full);
  }
}

const sizeOf = ({ key, value }: LogRecord): number => key.length + value.byteLength + 64;

import type { Clock } from '@retrigger/ports/clock.ts';
import type { LogRecord, RecordHandler } from '@retrigger/ports/log.ts';

/** A batch ends at the first of the two. */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 512 * 1024;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * One member's time as owner of one partition. It ends when it is over; a batch that runs then runs on, as that of an owner that
 * was paused and does not know, but moves no offset any more.
 */
export class MemoryLease {
  readonly partition: number;
  /** The batches that are running, until the last has ended. */
  running: Promise<void> = Promise.resolve();
  #position: number;
  #isStopping = false;
  #isOver = false;
  #isRunning = false;
  #endPause: () => void = () => {};
  readonly #records: LogRecord[];
  readonly #handler: RecordHandler;
  readonly #moveOffset: (next: number) => void;
  readonly #clock: Clock;

  constructor(
    partition: number,
    records: LogRecord[],
    committed: number,
    handler: RecordHandler,
    moveOffset: (next: number) => void,
    clock: Clock,
  ) {
    this.partition = partition;
    this.#records = records;
    this.#position = committed;
    this.#handler = handler;
    this.#moveOffset = moveOffset;
    this.#clock = clock;
  }

  /** Delivers what there is, unless it already does. */
  wake(): void {
    if (this.#isRunning || this.#isOver || this.#position >= this.#records.length) return;
    this.#isRunning = true;
    this.running = this.#drain();
  }

  /** Nothing new is delivered and no offset moves from here on. `mayFinish`: the batch that runs may still move it. */
  end(how: 'now' | 'mayFinish'): Promise<void> {
    const running = this.running;
    this.#isStopping = true;
    if (how === 'now') this.#isOver = true;
    this.#endPause();
    return running.then(() => {
      this.#isOver = true;
    });
  }

  async #drain(): Promise<void> {
    while (!this.#isStopping && this.#position < this.#records.length) {
      await new Promise(setImmediate);
      const records = this.#isStopping ? [] : this.#next();
      if (records.length === 0) break;
      await this.#deliver(records);
      this.#position += records.length;
    }
    this.#isRunning = false;
  }

  /** The handler gets the same records until it takes them. */
  async #deliver(records: LogRecord[]): Promise<void> {
    const commit = async (next: number): Promise<boolean> => {
      if (this.#isOver) return false;
      this.#moveOffset(next);
      return true;
    };
    for (let pauseMs = FIRST_PAUSE_MS; !this.#isStopping; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#handler.batch(this.partition, records, commit);
      } catch {
        await this.#pause(pauseMs); // the handler tells of its own errors
      }
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.timer(this.#clock.now() + ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  #next(): LogRecord[] {
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let i = this.#position; i < this.#records.length && records.length < BATCH_RECORDS && bytes < BATCH_BYTES; i++) {
      const record = this.#records[i];
      if (record === undefined) break;
      records.push({ ...record });
      bytes += record.value.byteLength;
    }
    return records;
  }
}

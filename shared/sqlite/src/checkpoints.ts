import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { CheckpointAnswer, CheckpointAsk, CheckpointOrder } from './checkpoint-thread.ts';

/** A write-ahead log that never gets so long (bytes) needs nobody to copy it: SQLite does when the file is closed. */
const FIRST_BYTES = 4 * 1_048_576;
/** Pages (4 KiB) that are copied in one go, rarer and longer is cheaper; how long a log begins anew; and how few pages may be left to copy for that. */
const BOUNDS = { copyFrom: 2_000, long: 8_000, few: 400 };
const LOOK_EVERY_SYNCS = 20;

/**
 * Copies a database's write-ahead log into its file in a thread of its own. SQLite itself would do it inside a COMMIT, where it stops everything else for 50 ms and
 * more: measured on a busy machine, 9 times in 5,000 triggers, half of all that was spent in COMMIT.
 * H1: copying goes on beside transactions, but the log begins anew only when all of it is copied, so now and then nobody writes until the last few pages are.
 * H2: nothing rests on it: when it can't copy, or its thread ends, SQLite's own checkpoints take over (see open-database.ts).
 * H3: the thread keeps the process alive only while it is asked, or closed: somebody waits for that who may have nothing else that does, such as a restore.
 */
export class Checkpoints {
  #thread: Worker | undefined;
  #isGone = false;
  #isClosing = false;
  #syncs = 0;
  #isDue = false;
  #answered: ((answer: CheckpointAnswer) => void) | undefined;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** After a sync of a log that takes so many bytes. No transaction begins until what it returns resolves (H1); nearly always that is nothing. */
  synced(bytes: () => number): Promise<void> | undefined {
    if (this.#isGone || this.#isClosing || this.#answered !== undefined) return undefined;
    if (this.#isDue) {
      this.#isDue = false;
      return this.#ask('copy').then(() => {});
    }
    if (++this.#syncs % LOOK_EVERY_SYNCS !== 0 || (this.#thread === undefined && bytes() < FIRST_BYTES)) return undefined;
    void this.#ask('look').then(({ pages, copied }) => {
      this.#isDue = pages >= BOUNDS.long && pages - copied <= BOUNDS.few;
    });
    return undefined;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined || this.#isGone) return;
    this.#isClosing = true;
    thread.ref();
    const gone = once(thread, 'exit');
    thread.postMessage('end' satisfies CheckpointAsk);
    await gone;
  }

  #ask(ask: CheckpointAsk): Promise<CheckpointAnswer> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    thread.ref(); // H3
    return new Promise((resolve) => {
      this.#answered = resolve;
      thread.postMessage(ask);
    });
  }

  #start(): Worker {
    const workerData: CheckpointOrder = { path: this.#path, ...BOUNDS };
    const thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
      workerData,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    thread.on('message', (answer: CheckpointAnswer) => this.#answer(answer));
    thread.on('error', () => {}); // H2
    thread.on('exit', () => {
      this.#isGone = true;
      this.#answer({ pages: 0, copied: 0 });
    });
    thread.unref();
    return thread;
  }

  #answer(answer: CheckpointAnswer): void {
    const answered = this.#answered;
    this.#answered = undefined;
    if (!this.#isClosing) this.#thread?.unref(); // H3
    answered?.(answer);
  }
}

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sqliteFault } from './sqlite-errors.ts';
import type { WalSync } from './wal-sync.ts';

type Job = { run(): void; done(): void; failed(error: unknown): void };

/** A transaction that is committed and waits for the disk. */
type Committed = { jobs: Job[]; durable: () => void };

/** What rides along with every transaction of a GroupCommit. */
export type Rider = {
  /** Writes inside the transaction, after the jobs. */
  beforeCommit?(): void;
  /** The transaction is committed; what it returns is called when that is durable, before anybody is told. */
  committed?(): () => void;
  /** What the jobs wrote is gone; some or all of them may run again. */
  rolledBack?(): void;
};

const NOTHING = (): void => {};

/** Ends the process by the way of every error that nobody caught. */
const end = (error: unknown): void => {
  queueMicrotask(() => {
    throw error;
  });
};

/**
 * One transaction for all writes that are submitted in one turn of the event loop, and one fsync for all transactions that wait for the disk.
 * G1: a job's promise resolves after its COMMIT is on the disk. G2: a job that throws leaves nothing and takes nobody with it, unless the file itself is at fault.
 * G3: a sync that fails is the end of the process: what the disk holds is not known any more, and starting again finds out.
 * G4: no transaction begins while the write-ahead log wants calm (H1 in checkpoints.ts).
 * Jobs run in the order in which they were submitted; a job may run twice (after a rollback), so it changes nothing but the database.
 */
export class GroupCommit {
  #jobs: Job[] = [];
  #committed: Committed[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #syncing: Promise<void> | undefined;
  #isHeld = false;
  /** The file was at fault in the last transaction. */
  #isFailing = false;
  readonly #rider: Rider;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #db: DatabaseSync;
  readonly #sync: WalSync;
  readonly #lost: (error: unknown) => void;

  /** `lost` is told of a sync that failed (G3). */
  constructor(db: DatabaseSync, sync: WalSync, rider: Rider = {}, lost = end) {
    this.#lost = lost;
    this.#db = db;
    this.#sync = sync;
    this.#rider = rider;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    this.#rollback = db.prepare('ROLLBACK');
  }

  /** Runs `write` inside the next transaction; resolves with what it returned once that is durable. */
  submit<T>(write: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T;
      this.#jobs.push({
        run: () => {
          result = write();
        },
        done: () => resolve(result),
        failed: reject,
      });
      this.#schedule();
    });
  }

  /** Whether the file takes writes: the last transaction did not fail by it, or else one does not fail now. */
  async isWritable(): Promise<boolean> {
    if (this.#isFailing) await this.submit(() => this.#touch()).catch(() => {});
    return !this.#isFailing;
  }

  /** Commits now what has been submitted, syncs it, and ends with the file in peace; for closing. */
  async close(): Promise<void> {
    this.#transactions();
    await this.#syncing;
    if (this.#committed.length > 0) {
      this.#sync.now();
      this.#tell(this.#committed.splice(0));
    }
    await this.#sync.close();
  }

  #schedule(): void {
    if (this.#isHeld) return; // G4
    this.#scheduled ??= setImmediate(() => {
      this.#transactions();
      this.#startSync();
    });
  }

  #transactions(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    let jobs = this.#jobs;
    this.#jobs = [];
    while (jobs.length > 0) jobs = this.#transaction(jobs);
  }

  /** Returns the jobs that must run again because one among them failed alone. */
  #transaction(jobs: Job[]): Job[] {
    let running: Job | undefined;
    try {
      this.#begin.run();
      for (const job of jobs) {
        running = job;
        job.run();
      }
      running = undefined;
      this.#rider.beforeCommit?.();
      this.#commit.run();
    } catch (error) {
      if (this.#db.isOpen && this.#db.isTransaction) this.#rollback.run();
      this.#rider.rolledBack?.();
      const isFiles = sqliteFault(error).whole;
      if (isFiles) this.#isFailing = true;
      if (running === undefined || isFiles) {
        for (const job of jobs) job.failed(error);
        return [];
      }
      running.failed(error); // G2
      return jobs.filter((job) => job !== running);
    }
    this.#isFailing = false;
    this.#committed.push({ jobs, durable: this.#rider.committed?.() ?? NOTHING });
    return [];
  }

  /** The smallest write: the schema's version, as it is. */
  #touch(): void {
    const { user_version: version = 0 } = this.#db.prepare('PRAGMA user_version').get() ?? {};
    this.#db.exec(`PRAGMA user_version = ${version}`);
  }

  /** One sync at a time; what is committed while it runs is the next one's. */
  #startSync(): void {
    if (this.#syncing !== undefined || this.#committed.length === 0) return;
    const covered = this.#committed.splice(0);
    this.#syncing = this.#sync.start().then(
      () => {
        this.#syncing = undefined;
        this.#tell(covered);
        this.#hold(this.#sync.calm());
        this.#startSync();
      },
      (error: unknown) => {
        for (const { jobs } of covered) for (const job of jobs) job.failed(error);
        this.#lost(error); // G3: nothing is synced after this
      },
    );
  }

  /** G4. */
  #hold(calm: Promise<void> | undefined): void {
    if (calm === undefined) return;
    this.#isHeld = true;
    void calm.then(() => {
      this.#isHeld = false;
      if (this.#jobs.length > 0) this.#schedule();
    });
  }

  #tell(covered: Committed[]): void {
    for (const { jobs, durable } of covered) {
      durable();
      for (const job of jobs) job.done(); // G1
    }
  }
}

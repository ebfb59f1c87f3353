import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sqliteFault } from './sqlite-errors.ts';

type Job = { run(): void; done(): void; failed(error: unknown): void };

/** What rides along with every transaction of a GroupCommit. */
export type Rider = {
  /** Writes inside the transaction, after the jobs. */
  beforeCommit?(): void;
  /** The jobs are durable; called before anybody is told. */
  committed?(): void;
  /** What the jobs wrote is gone; some or all of them may run again. */
  rolledBack?(): void;
};

/**
 * One transaction, and so one fsync, for all writes that are submitted in one turn of the event loop.
 * G1: a job's promise resolves after its COMMIT. G2: a job that throws leaves nothing and takes nobody with it, unless the file itself is at fault.
 * Jobs run in the order in which they were submitted; a job may run twice (after a rollback), so it changes nothing but the database.
 */
export class GroupCommit {
  #jobs: Job[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  readonly #rider: Rider;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync, rider: Rider = {}) {
    this.#db = db;
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
      this.#scheduled ??= setImmediate(() => this.flush());
    });
  }

  /** Commits now what has been submitted. */
  flush(): void {
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
      if (running === undefined || sqliteFault(error).whole) {
        for (const job of jobs) job.failed(error);
        return [];
      }
      running.failed(error); // G2
      return jobs.filter((job) => job !== running);
    }
    this.#rider.committed?.();
    for (const job of jobs) job.done(); // G1
    return [];
  }
}

import type { WorkerProcess } from './worker-process.ts';

/** What came of a bulk of 100 of which the server refuses one: how many were kept, and what the caller was told. */
export type BrokenBulk = { kept: number; told: string };

/**
 * A system under measurement, with one worker process that runs what is triggered and does nothing. The same work for all: a task's name is also its
 * idempotency key, each name is triggered once, and with each go 100 characters of payload.
 */
export type System = {
  /** Versions, and the settings that matter. */
  about: { [what: string]: string | number };
  worker: Pick<WorkerProcess, 'onStarted'>;
  /** Its processes besides the caller's own, by what they do. */
  pids: { [part: string]: number };
  /** Makes tasks known, `name-0` to `name-(count - 1)`; nothing to do where a system knows no tasks. */
  register(name: string, count: number): Promise<void>;
  /** Resolves when it is durably accepted, as far as the system's settings go. */
  trigger(task: string): Promise<void>;
  /** A run in so many milliseconds. */
  schedule(task: string, delayMs: number): Promise<void>;
  /** Moves the run that `schedule` made. */
  reschedule(task: string, delayMs: number): Promise<void>;
  /** Triggers all in one call, in each way that it has. */
  bulks: { [way: string]: (tasks: string[]) => Promise<void> };
  /** Uses up the tasks of one name that `register` made. */
  brokenBulks: { [way: string]: (tasks: string[]) => Promise<BrokenBulk> };
  /** When the `count`-th completion since the start was recorded, by the monotonic clock. Rejects when it takes more than two minutes. */
  completed(count: number): Promise<number>;
  stop(): Promise<void>;
};

/** What tasks carry. */
export const FILLER = 'x'.repeat(100);
/** What the worker does at once, where a system lets one choose. */
export const CONCURRENCY = 64;

/** What a worker process tells. */
export type WorkerHooks = { started(task: string): void; completed(count: number): void };
/** Runs everything until the function that it resolves with is called. */
export type RunWorker = (settings: { [name: string]: string }, hooks: WorkerHooks) => Promise<() => Promise<unknown>>;

import { pauseUntil } from '@retrigger/lifecycle/pause.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { CommitOffset } from '@retrigger/ports/log.ts';
import type { Observer } from '@retrigger/ports/observer.ts';
import { InFlightWindow } from './in-flight-window.ts';

const RETRY_MS = 1_000;

/**
 * How far one assignment of one partition is. Commits run one at a time, each with the newest offset; one that fails is tried again.
 * F4: nothing is committed after `close`: the partition may already be another's.
 */
export class PartitionProgress {
  readonly #window = new InFlightWindow();
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #ending = new AbortController();
  #isClosed = false;
  #commit: CommitOffset | undefined;
  #wanted = 0;
  #committed = 0;
  #committing: Promise<void> | undefined;
  #moved: (() => void) | undefined;

  constructor(clock: Clock, observer: Observer) {
    this.#clock = clock;
    this.#observer = observer;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** False when this record is known already. */
  take(offset: number, commit: CommitOffset): boolean {
    this.#commit = commit;
    return this.#window.take(offset);
  }

  finish(offset: number): void {
    const next = this.#window.finish(offset);
    if (next === undefined) return;
    this.#wanted = next;
    this.#moved?.();
    this.#committing ??= this.#commitNewest();
  }

  /** Resolves when fewer than `most` records are unfinished or stand behind an unfinished one, or when this ends. */
  async room(most: number): Promise<void> {
    while (this.#window.size >= most && !this.#ending.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#moved = resolve;
      });
    }
  }

  /** For a stop: resolves when what may be committed is committed, or was tried once more in vain. */
  async finalCommit(): Promise<void> {
    this.#end();
    await this.#committing;
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #end(): void {
    this.#ending.abort();
    this.#moved?.();
  }

  async #commitNewest(): Promise<void> {
    await Promise.resolve(); // what finishes in the same turn is one commit
    while (this.#wanted > this.#committed && !this.#isClosed) {
      const next = this.#wanted;
      try {
        await this.#commit?.(next); // F4
        this.#committed = next;
      } catch (error) {
        this.#observer.log('warn', 'an offset could not be committed', { error: String(error) });
        if (this.#ending.signal.aborted) break;
        await pauseUntil(this.#clock.now() + RETRY_MS, this.#clock, this.#ending.signal);
      }
    }
    this.#committing = undefined; // in the turn of the last look, so that no finish falls between
  }
}

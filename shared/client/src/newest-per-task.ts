import type { TaskEvent } from './types.ts';

type Named = Pick<TaskEvent, 'tenantId' | 'taskId' | 'sequence'>;

const REMEMBERED = 100_000;

/**
 * For consumers of the events topic, which may repeat an event and, after a failure, step back to an earlier one of its task: whoever drops what is not newer
 * sees each once, in order. It remembers the last 100,000 tasks of this process; keep the last sequence with your own data when a restart must not repeat either.
 */
export class NewestPerTask {
  readonly #last = new Map<string, number>();

  /** Whether the event is newer than all of its task that were handled. */
  isNew({ tenantId, taskId, sequence }: Named): boolean {
    return sequence > (this.#last.get(`${tenantId}/${taskId}`) ?? 0);
  }

  /** It was handled. Said only afterwards, so that one whose handling failed is new when it comes again. */
  handled(event: Named): void {
    const { tenantId, taskId, sequence } = event;
    if (!this.isNew(event)) return;
    const key = `${tenantId}/${taskId}`;
    this.#last.delete(key);
    this.#last.set(key, sequence);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
  }
}

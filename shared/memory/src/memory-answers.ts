import type { Answer, Answers } from '@retrigger/ports/answers.ts';
import type { Clock } from '@retrigger/ports/clock.ts';

type Waiter = (answer: Answer | undefined) => void;

/** Answers inside one process: the embedded profile's, and tests'. */
export class MemoryAnswers implements Answers {
  readonly address = 'memory';
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many are waiting. */
  get waiting(): number {
    let count = 0;
    for (const waiters of this.#waiters.values()) count += waiters.size;
    return count;
  }

  // A1: the waiter stands in the map before this returns.
  expect(commandId: string, timeoutMs: number): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const waiter: Waiter = (answer) => {
        cancel();
        this.#remove(commandId, waiter);
        resolve(answer);
      };
      const cancel = this.#clock.timer(this.#clock.now() + timeoutMs, () => waiter(undefined));
      const waiters = this.#waiters.get(commandId);
      if (waiters === undefined) this.#waiters.set(commandId, new Set([waiter]));
      else waiters.add(waiter);
    });
  }

  async give(replyTo: string, answers: Answer[]): Promise<void> {
    if (replyTo !== this.address) return;
    for (const answer of answers) for (const waiter of [...(this.#waiters.get(answer.commandId) ?? [])]) waiter(answer);
  }

  async close(): Promise<void> {
    for (const waiters of [...this.#waiters.values()]) for (const waiter of [...waiters]) waiter(undefined);
  }

  #remove(commandId: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(commandId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(commandId);
  }
}

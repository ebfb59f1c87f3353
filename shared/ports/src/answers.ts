import type { Outcome } from '@retrigger/domain/refusal.ts';

/** `replayed`: this is the first answer again. `differs`: refused because the fields named here differ from the first request under this commandId. */
export type Answer = { commandId: string; outcome: Outcome; replayed: boolean };

/**
 * The way back from worker to waiting door. A shortcut only: an answer may be lost, and the receipt is the truth.
 * A1: `expect` is listening when it returns, so an answer given after that is not missed.
 * A2: `give` waits for nobody: a worker is as fast when its answers can't be sent, or nobody takes them. It never rejects.
 */
export interface Answers {
  /** Where this process listens; goes into a command's `replyTo`. */
  readonly address: string;
  /** The next answer to this commandId, or undefined after `timeoutMs`. Many may expect the same one; each gets it. */
  expect(commandId: string, timeoutMs: number): Promise<Answer | undefined>;
  give(replyTo: string, answers: Answer[]): Promise<void>;
  close(): Promise<void>;
}

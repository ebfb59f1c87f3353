import type { Command } from '@retrigger/domain/command.ts';
import type { Concluded } from '@retrigger/domain/decider.ts';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { isKept, type Outcome } from '@retrigger/domain/refusal.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import { type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import type { Aggregate, Received } from './aggregate.ts';

/** What the records of one aggregate led to. `emitted` holds new events and those of redelivered records, in order. */
export type KeyDecisions = {
  aggregate: Aggregate;
  stored: StoredEvent[];
  emitted: StoredEvent[];
  followUps: Command[];
  receipts: Receipt[];
  answers: { replyTo: string; answer: Answer }[];
  /** Commands decided now, whatever came of it. */
  decided: string[];
  /** Log time of the last heartbeat that was taken; null = none. */
  heardAt: number | null;
  /** Log time of the last Wake; null = none. */
  wokenAt: number | null;
  /** Records that nobody can decide, by offset, with why. */
  undecidable: Map<number, string>;
  /** A Wake knew of another due time than the state: another owner may have gone on. */
  isOutdated: boolean;
};

export const nothingMade = (aggregate: Aggregate): KeyDecisions => ({
  ...{ aggregate, stored: [], emitted: [], followUps: [], receipts: [], answers: [], decided: [], heardAt: null, wokenAt: null },
  isOutdated: false,
  undecidable: new Map(),
});

/** A record whose outcome is known, with the command that this concludes. */
export type ConcludedRecord = Pick<Received, 'key' | 'position'> & { command: Concluded };

/**
 * Only commands from a door leave a receipt; nobody sends the others again under the same id a day later. What is not kept leaves one under another name: it
 * can be asked for, and binds no repeat.
 */
export function keepReceipt(
  { command, key, position }: ConcludedRecord,
  made: KeyDecisions,
  name: string,
  sequence: number | null,
  outcome: Outcome,
): void {
  const { tenantId, actor, type, fingerprint } = command;
  if (fingerprint === undefined) return;
  const commandId = isKept(outcome) ? name : unboundReceiptId(name);
  made.receipts.push({ commandId, tenantId, actorId: actor.id, key, type, sequence, fingerprint, outcome, position });
}

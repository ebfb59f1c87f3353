import type { Command } from '@retrigger/domain/command.ts';
import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import { type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';

type Decided = { kind: 'decided'; outcome: Outcome; replayed: boolean };

/** Whether two requests under one commandId ask for the same. */
export const isSame = (first: Fingerprint, second: Fingerprint): boolean => first === second || differingFields(first, second).length === 0;

/** What a command is answered that has a receipt: what came of the first, unless that asked for something else. */
export const replay = (receipt: Receipt, fingerprint: Fingerprint, replayed: boolean): Decided =>
  isSame(receipt.fingerprint, fingerprint)
    ? { kind: 'decided', outcome: receipt.outcome, replayed }
    : reused(receipt.fingerprint, fingerprint);

export function reused(first: Fingerprint, second: Fingerprint): Decided {
  const fields = differingFields(first, second);
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  return { kind: 'decided', outcome: refused('idempotency_key_reused', detail, { fields }), replayed: false };
}

/**
 * The names that a command's receipt may have. One that binds no repeat tells only a command that nobody has sent before: of a repeat it may be what came
 * of the first.
 */
export const receiptNames = ({ commandId }: Command, isRepeatable: boolean): string[] =>
  isRepeatable ? [commandId] : [commandId, unboundReceiptId(commandId)];

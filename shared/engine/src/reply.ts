import { differingFields, type Fingerprint } from '@retrigger/domain/idempotency.ts';
import { type Outcome, refused } from '@retrigger/domain/refusal.ts';
import type { Answer } from '@retrigger/ports/answers.ts';
import type { Received } from './aggregate.ts';

/** A command whose outcome is known: from its receipt, or from earlier in the batch. `offset` and `at` (log time) are those of its first record. */
export type Known = { outcome: Outcome; fingerprint: Fingerprint | undefined; offset: number; at: number };

/** The first answer again, or a refusal when the request is another one. A record that is delivered again is no replay: its caller has had no answer. */
export function reply({ command, position }: Received, answers: { replyTo: string; answer: Answer }[], known: Known): void {
  const { fingerprint, replyTo, answersTo: commandId = command.commandId } = command;
  if (replyTo === undefined) return;
  const fields = fingerprint === undefined || known.fingerprint === undefined ? [] : differingFields(known.fingerprint, fingerprint);
  if (fields.length === 0) {
    answers.push({ replyTo, answer: { commandId, outcome: known.outcome, replayed: known.offset !== position.offset } });
    return;
  }
  const detail = `This idempotency key was used for another request; these fields differ: ${fields.join(', ')}`;
  answers.push({ replyTo, answer: { commandId, outcome: refused('idempotency_key_reused', detail, { fields }), replayed: false } });
}

import type { FieldError } from '@retrigger/contract/problem-codes.ts';
import type { Command } from '@retrigger/domain/command.ts';
import type { Fingerprint } from '@retrigger/domain/idempotency.ts';
import { taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import { REFUSAL_TITLES, type Refusal, type RefusalCode } from '@retrigger/domain/refusal.ts';
import { type Receipt, unboundReceiptId } from '@retrigger/ports/receipt-store.ts';
import type { Problem } from './problem.ts';

/** The command that a door has refused, as far as it is known. */
export type Refused = Pick<Command, 'commandId' | 'tenantId' | 'taskId' | 'type'> & { userId: string; fingerprint: Fingerprint };

/**
 * What a door refused whose caller can't be answered, where they can ask for it. It binds nobody: the same command again is looked at anew, and what a worker
 * decides takes its place. `partition`: that of the task's commands in the work log, whose owner sweeps it a day later. `at`: now, epoch ms.
 */
export const refusalReceipt = (refused: Refused, problem: Problem, { partition, at }: { partition: number; at: number }): Receipt => ({
  commandId: unboundReceiptId(refused.commandId),
  tenantId: refused.tenantId,
  actorId: refused.userId,
  key: taskKey(refused.tenantId, refused.taskId),
  type: refused.type,
  sequence: null,
  fingerprint: refused.fingerprint,
  outcome: { kind: 'refused', refusal: refusalOf(problem) },
  position: { partition, offset: 0, at },
});

/** @throws for a problem that is no refusal: such a command is tried again and not given up. */
function refusalOf({ code, detail, errors, more }: Problem): Refusal {
  if (!isRefusalCode(code)) throw new Error(`${code} is no outcome of a command`);
  const added: JsonObject = { ...more, ...(errors === undefined ? {} : { errors: errors.map(asJson) }) };
  return Object.keys(added).length === 0 ? { code, detail } : { code, detail, more: added };
}

const isRefusalCode = (code: string): code is RefusalCode => Object.hasOwn(REFUSAL_TITLES, code);

const asJson = ({ path, message }: FieldError): JsonObject => ({ path, message });

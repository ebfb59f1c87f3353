import { MAX_CLAIMED } from '@retrigger/contract/execution-bodies.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import type { GatewayDeps } from './deps.ts';

/** What a claim asks for its nth execution by, from 1; the first by its own command id (M1). */
const slotId = (commandId: string, nth: number): string => (nth === 1 ? commandId : derive('claim', commandId, nth));

/** Whether a claim asked for several; its answer is then a list. */
export const isList = ({ fingerprint }: Pick<Receipt, 'fingerprint'>): boolean => 'max' in fingerprint;

/** The ids that a claim of at most so many asks under, in order. */
export const slotIds = (commandId: string, most = MAX_CLAIMED): string[] =>
  Array.from({ length: most }, (_, i) => slotId(commandId, i + 1));

/** All that was claimed under the ids of one claim, in order; undefined when that is nothing. */
export async function claimedUnder(
  ids: readonly string[],
  { receipts }: Pick<GatewayDeps, 'receipts'>,
): Promise<{ first: Receipt; executions: JsonObject[] } | undefined> {
  const found = await receipts.load([...ids]);
  const all = ids.flatMap((id) => found.get(id) ?? []).filter(({ type }) => type === 'ClaimExecution');
  const [first] = all;
  return first && { first, executions: all.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.answer] : [])) };
}

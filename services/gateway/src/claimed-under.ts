import { MAX_CLAIMED } from '@retrigger/contract/execution-bodies.ts';
import { derive } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import type { GatewayDeps } from './deps.ts';

/** What a claim asks for its nth execution by, from 1; the first by its own command id (M1). */
export const slotId = (commandId: string, nth: number): string => (nth === 1 ? commandId : derive('claim', commandId, nth));

/** Whether a claim asked for several; its answer is then a list. */
export const isList = ({ fingerprint }: Pick<Receipt, 'fingerprint'>): boolean => 'max' in fingerprint;

/** All that was claimed under a command id, in order; undefined when that is nothing. */
export async function claimedUnder(
  commandId: string,
  { receipts }: Pick<GatewayDeps, 'receipts'>,
): Promise<{ first: Receipt; executions: JsonObject[] } | undefined> {
  const first = (await receipts.load([commandId])).get(commandId);
  if (first?.type !== 'ClaimExecution') return undefined;
  const ids = isList(first) ? Array.from({ length: MAX_CLAIMED - 1 }, (_, i) => slotId(commandId, i + 2)) : [];
  const others = ids.length === 0 ? new Map<string, Receipt>() : await receipts.load(ids);
  const all = [first, ...ids.flatMap((id) => others.get(id) ?? [])];
  return { first, executions: all.flatMap(({ outcome }) => (outcome.kind === 'accepted' ? [outcome.answer] : [])) };
}

import type { BulkState } from '@retrigger/domain/bulk/state.ts';
import { bulkName, deriveBulkId, taskKey } from '@retrigger/domain/identifiers.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';

/**
 * How far a bulk is that has no outcome yet: of how many tasks it has heard, and of all or nothing what it has decided. Undefined when the command is no bulk
 * that is under way, or not this caller's.
 */
export async function bulkProgress(
  { snapshots }: Pick<GatewayDeps, 'snapshots'>,
  { tenantId, userId }: Caller,
  commandId: string,
): Promise<JsonObject | undefined> {
  const key = taskKey(tenantId, bulkName(deriveBulkId(commandId)));
  const bulk = (await snapshots.load([key])).get(key)?.state as BulkState | undefined;
  if (bulk === undefined || bulk.status === 'Ended' || bulk.caller.actor.id !== userId) return undefined;
  const { decision, parts } = bulk;
  const heard = parts.filter(({ at }) => at !== 'new' && at !== 'asked').length;
  const settled = parts.filter(({ at }) => at === 'accepted' || at === 'refused' || at === 'released').length;
  return { tasks: parts.length, heard, ...(decision === null ? {} : { decision, settled }) };
}

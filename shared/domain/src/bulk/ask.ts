import type { Command, CommandHeader } from '../command.ts';
import { bulkName, derive, taskKey } from '../identifiers.ts';
import type { AskedOfTask } from '../task/commands.ts';
import type { BulkCommon, BulkItem } from './commands.ts';
import type { Outgoing } from './events.ts';
import type { BulkState } from './state.ts';

/** The single command that a bulk stands for in one of its tasks. */
export function singleOf(type: BulkState['type'], item: BulkItem, common: BulkCommon): AskedOfTask {
  const { conditions, context = common.context, triggerReason = common.triggerReason } = item;
  const own = context === undefined ? {} : { context };
  if (type === 'BulkReschedule') {
    const schedule = item.schedule ?? common.schedule;
    if (schedule === undefined) throw new Error(`${item.taskId} is to be rescheduled and has no schedule`);
    return { type: 'RescheduleTask', body: { schedule, ...own } };
  }
  if (item.waits && conditions !== undefined) {
    const reason = triggerReason === undefined ? {} : { reason: triggerReason };
    return { type: 'RescheduleTask', body: { schedule: { strategy: 'conditional', conditions }, ...own, ...reason } };
  }
  const more = { ...(triggerReason === undefined ? {} : { triggerReason }), ...(conditions === undefined ? {} : { conditions }) };
  return { type: 'TriggerTask', body: { ...own, ...more } };
}

/** Which bulk speaks, and in whose name. */
type Speaker = Pick<Outgoing, 'caller' | 'started'> & { tenantId: string; bulkId: string };

function header(what: string, { caller, started, tenantId, bulkId }: Speaker, taskId: string): CommandHeader {
  const { actor, roles, correlationId, traceparent } = caller;
  const commandId = derive(what, taskKey(tenantId, taskId), bulkName(bulkId), started);
  return { commandId, tenantId, taskId, actor, roles, correlationId, ...(traceparent === undefined ? {} : { traceparent }) };
}

/** An empty fingerprint gives a command a receipt, so that one which comes twice, however late, is decided once. */
const ONCE = {};

/** What a task is asked. Best effort: the very command that a single call would have sent. */
export function askCommand(speaker: Speaker & Outgoing, item: BulkItem): Command {
  const { bulkId, type, allOrNothing, startedAt, common = {} } = speaker;
  const single = singleOf(type, item, common);
  if (!allOrNothing) return { ...header('item', speaker, item.taskId), fingerprint: ONCE, bulkId, ...single };
  const body = { bulkId, startedAt, asked: single };
  return { ...header('reserve', speaker, item.taskId), fingerprint: ONCE, type: 'ReserveTask', body };
}

/** The decision, as told to one task. */
export const settleCommand = (speaker: Speaker, taskId: string, decision: 'commit' | 'release'): Command => ({
  ...header(decision, speaker, taskId),
  type: decision === 'commit' ? 'CommitTask' : 'ReleaseTask',
  body: { bulkId: speaker.bulkId },
});

/** Lets a task go that is reserved for a bulk of which nobody knows. */
export const releaseCommand = (tenantId: string, taskId: string, bulkId: string, cause: string, correlationId: string): Command => ({
  commandId: derive('release', taskKey(tenantId, taskId), cause),
  ...{ tenantId, taskId, actor: { id: 'scheduler', type: 'system' }, roles: [], correlationId },
  ...{ type: 'ReleaseTask', body: { bulkId } },
});

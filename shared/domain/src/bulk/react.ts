import type { Command } from '../command.ts';
import { bulkIdOf, derive, taskKey } from '../identifiers.ts';
import { askCommand, settleCommand } from './ask.ts';
import type { BulkItem } from './commands.ts';
import type { BulkEvent } from './events.ts';
import { UNDER_WAY } from './state.ts';

/** Asks the next tasks, tells the decision, or has the caller answered. */
export function react(event: BulkEvent): Command[] {
  const { tenantId, taskId: name, metadata } = event;
  const { decision = event.newState === 'Committing' ? 'commit' : 'release', settles = [] } = 'results' in metadata ? metadata : {};
  const speaker = { ...metadata, tenantId, bulkId: bulkIdOf(name) };
  const asks = asksOf(event).map((item) => askCommand(speaker, item));
  const told = settles.map((taskId) => settleCommand(speaker, taskId, decision));
  return [...asks, ...told, ...(event.newState === 'Ended' ? [tell(event)] : [])];
}

function asksOf({ eventType, metadata }: BulkEvent): BulkItem[] {
  if (eventType !== 'BulkStarted') return metadata.asks ?? [];
  const absent = new Set(metadata.missing);
  return metadata.tasks.filter(({ taskId }) => !absent.has(taskId)).slice(0, metadata.underWay ?? UNDER_WAY);
}

/** Gives the caller's answer, in the caller's name, and leaves its receipt. */
function tell({ tenantId, taskId, eventId, metadata }: BulkEvent): Command {
  const { commandId: answersTo, ...caller } = metadata.caller;
  const commandId = derive('TellBulk', taskKey(tenantId, taskId), eventId);
  return { ...caller, commandId, tenantId, taskId, answersTo, type: 'TellBulk', body: {} };
}

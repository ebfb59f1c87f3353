import type { Command } from '../command.ts';
import type { Concluded } from '../decider.ts';
import { bulkIdOf } from '../identifiers.ts';
import { askCommand, settleCommand } from './ask.ts';
import type { BulkItem } from './commands.ts';
import type { BulkEvent } from './events.ts';
import { UNDER_WAY } from './state.ts';

/** Asks the next tasks, or tells the decision. */
export function react(event: BulkEvent): Command[] {
  const { tenantId, taskId: name, metadata } = event;
  const { decision = event.newState === 'Committing' ? 'commit' : 'release', settles = [] } = 'results' in metadata ? metadata : {};
  const speaker = { ...metadata, tenantId, bulkId: bulkIdOf(name) };
  const asks = asksOf(event).map((item) => askCommand(speaker, item));
  const told = settles.map((taskId) => settleCommand(speaker, taskId, decision));
  return [...asks, ...told];
}

function asksOf({ eventType, metadata }: BulkEvent): BulkItem[] {
  if (eventType !== 'BulkStarted') return metadata.asks ?? [];
  const absent = new Set(metadata.missing);
  return metadata.tasks.filter(({ taskId }) => !absent.has(taskId)).slice(0, metadata.underWay ?? UNDER_WAY);
}

/** A6: its end answers whoever began it, and is their receipt, whichever command brought it about. */
export function concludes({ newState, tenantId, taskId, metadata }: BulkEvent): Concluded | undefined {
  return newState === 'Ended' ? { ...metadata.caller, tenantId, taskId, type: metadata.type } : undefined;
}

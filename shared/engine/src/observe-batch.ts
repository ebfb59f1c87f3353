import type { Received } from './aggregate.ts';
import type { WorkerPorts } from './apply-batch.ts';
import type { KeyDecisions } from './key-decisions.ts';

/** The trace flag that says whether anybody records this trace (W3C trace context, last field). */
const isSampled = (traceparent: string): boolean => traceparent.endsWith('01');

/** Refusals that other tasks are the reason of. */
const OF_DEPENDENCIES = new Set<string>(['conditions_unmet', 'circular_dependency']);

/** Counts and times of a batch that is done. */
export function observeBatch(
  { observer, clock }: Pick<WorkerPorts, 'observer' | 'clock'>,
  received: Received[],
  decisions: Iterable<KeyDecisions>,
): void {
  const now = clock.now();
  observer.measure('batch_size_records', received.length, {});
  const made = [...decisions];
  const acted = new Set<string>();
  for (const { stored } of made) for (const { event } of stored) acted.add(event.commandId);
  for (const { command, position } of received) {
    if (command.type === 'Wake' && acted.has(command.commandId))
      observer.measure('wake_up_lag_seconds', Math.max(0, position.at - command.body.wakeAt) / 1000, {});
    observer.measure('command_latency_seconds', Math.max(0, now - position.at) / 1000, { type: command.type });
    if (command.traceparent !== undefined && isSampled(command.traceparent)) {
      observer.traced(`decide ${command.type}`, command.traceparent, { commandId: command.commandId }, position.at, now);
    }
  }
  for (const { stored, receipts } of made) {
    for (const { outcome } of receipts)
      if (outcome.kind === 'refused' && OF_DEPENDENCIES.has(outcome.refusal.code)) observer.count('dependency_refusals_total', {});
    for (const { event } of stored) {
      observer.count('events_total', { type: event.eventType });
      if (event.eventType === 'TaskTriggered') observer.count('triggers_total', { outcome: 'accepted' });
      if (event.eventType === 'CommandRefused' && event.metadata.command === 'TriggerTask')
        observer.count('triggers_total', { outcome: String(event.metadata.code) });
    }
  }
}

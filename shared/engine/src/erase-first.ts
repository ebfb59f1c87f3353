import type { StoredEvent } from '@retrigger/domain/event.ts';
import type { TaskMetadata } from '@retrigger/domain/task/events.ts';
import type { DecisionStore } from '@retrigger/ports/decision-store.ts';

/**
 * W1: what an event says was erased is destroyed before the event is stored. A crash in between has the command delivered again, which finds nothing left to
 * destroy and stores the event; the other way round an event could claim what never happened.
 */
export function eraseFirst(decisions: DecisionStore, destroy: (token: string) => Promise<void>): DecisionStore {
  return {
    async write(decided) {
      for (const { event } of decided.events) if (event.eventType === 'DataErased') await destroy(tokenOf(event));
      return decisions.write(decided);
    },
  };
}

const tokenOf = ({ metadata }: StoredEvent['event']): string => (metadata as TaskMetadata['DataErased']).token;

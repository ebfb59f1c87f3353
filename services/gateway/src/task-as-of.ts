import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { evolve } from '@retrigger/domain/task/evolve.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { eventsOf, justAfter } from './stored-history.ts';

/** A task as it was at an instant (epoch ms), events at that instant included; undefined when there was none yet. */
export async function taskAsOf(events: Pick<EventStore, 'page'>, key: string, at: number): Promise<TaskState | undefined> {
  let state: TaskState | undefined;
  for await (const chunk of eventsOf(events, key, { before: justAfter(at) }))
    for (const { event } of chunk) state = evolve(state, event as TaskEvent);
  return state;
}

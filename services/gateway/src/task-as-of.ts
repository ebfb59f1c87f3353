import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { evolve } from '@retrigger/domain/task/evolve.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { eventsOf, justAfter } from './stored-history.ts';

/** A task as it was at an instant (epoch ms), events at that instant included; undefined when there was none yet. `at` is not before what is archived. */
export async function taskAsOf(
  events: Pick<EventStore, 'page'>,
  key: string,
  at: number,
  archived = NOTHING_ARCHIVED,
): Promise<TaskState | undefined> {
  let state = (archived.state ?? undefined) as TaskState | undefined;
  for await (const chunk of eventsOf(events, key, { before: justAfter(at) }))
    for (const { event } of chunk) if (event.sequence > archived.last) state = evolve(state, event as TaskEvent);
  return state;
}

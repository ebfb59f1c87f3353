import type { Event } from '@retrigger/domain/event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';

/** An event with the states before and after it. */
export type Step = { key: string; event: TaskEvent; before: TaskState | undefined; after: TaskState | undefined };

/** Every event of every stream between its states, each stream in its order. */
export const replay = (streams: Map<string, Event[]>): Step[] =>
  [...streams].flatMap(([key, events]) => {
    let state: TaskState | undefined;
    return (events as TaskEvent[]).map((event) => {
      const before = state;
      state = taskDecider.evolve(before, event);
      return { key, event, before, after: state };
    });
  });

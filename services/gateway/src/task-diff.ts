import type { Event } from '@retrigger/domain/event.ts';
import type { Json, JsonObject } from '@retrigger/domain/json.ts';
import { isSameJson } from '@retrigger/domain/json-pointer.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { evolve } from '@retrigger/domain/task/evolve.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { taskView } from '@retrigger/domain/task/view.ts';
import { NOTHING_ARCHIVED } from '@retrigger/engine/archived-events.ts';
import type { EventStore } from '@retrigger/ports/event-store.ts';
import { eventsOf, justAfter } from './stored-history.ts';

/** A field that is another at the end than at the beginning. `path` is a JSON Pointer into the task; null = it is not there. `event` gave it its last value. */
export type Change = { path: string; before: Json; after: Json; event: JsonObject };

/** Leaves of a task by JSON Pointer. F2: lists are values: one that differs anywhere is another list. */
type Leaves = Map<string, Json>;

/** Every event changes these, so they say nothing. */
const ALWAYS = new Set(['/version', '/updatedAt']);

/**
 * What is different in a task between two instants (epoch ms; events at an instant have happened by then), by path.
 * F1: what was changed and changed back is no change. Two states are held, however long the history.
 */
export async function taskDiff(
  events: Pick<EventStore, 'page'>,
  key: string,
  from: number,
  to: number,
  archived = NOTHING_ARCHIVED,
): Promise<Change[]> {
  const causes = new Map<string, Event>();
  let state = (archived.state ?? undefined) as TaskState | undefined;
  let first: Leaves | undefined;
  let last: Leaves = new Map();
  for await (const chunk of eventsOf(events, key, { before: justAfter(to) })) {
    for (const { event } of chunk) {
      if (event.sequence <= archived.last) continue;
      if (Date.parse(event.timestamp) > from) first ??= last = leavesOf(state);
      state = evolve(state, event as TaskEvent);
      if (first === undefined) continue;
      const next = leavesOf(state);
      for (const path of differing(last, next)) causes.set(path, event);
      last = next;
    }
  }
  const start = first ?? last;
  return differing(start, last).map((path) => {
    return { path, before: start.get(path) ?? null, after: last.get(path) ?? null, event: reference(causes.get(path)) };
  });
}

function leavesOf(state: TaskState | undefined): Leaves {
  const leaves: Leaves = new Map();
  const walk = (path: string, value: Json) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || (path !== '' && Object.keys(value).length === 0))
      leaves.set(path, value);
    else
      for (const [name, member] of Object.entries(value))
        if (member !== undefined) walk(`${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, member);
  };
  if (state !== undefined) walk('', taskView(state));
  return leaves;
}

/** The paths at which two states differ, in order. */
function differing(before: Leaves, after: Leaves): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => !ALWAYS.has(path) && !isSame(before.get(path), after.get(path))).sort();
}

const isSame = (a: Json | undefined, b: Json | undefined): boolean => a === b || (a !== undefined && b !== undefined && isSameJson(a, b));

function reference(event: Event | undefined): JsonObject {
  if (event === undefined) throw new Error('a change without an event');
  const { eventId, eventType, sequence, timestamp, actor } = event;
  return { eventId, eventType, sequence, timestamp, actor };
}

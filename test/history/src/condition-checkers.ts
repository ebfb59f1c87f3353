import type { Conditions } from '@retrigger/domain/conditions.ts';
import { isSameJson, valueAt } from '@retrigger/domain/json-pointer.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Recorded, Violation } from './recorded.ts';
import { replay } from './replay.ts';

/** What a task's neighbours could be seen as while a command was decided: each state that was visible at some moment of that time. */
export type Visible = (key: string, event: TaskEvent) => TaskState[];

/** The conditions that the command of an event carried itself; undefined = none, the schedule's count. */
export type Asked = (event: TaskEvent) => Conditions | undefined;

const completed = (state: TaskState) => state.outcome === 'Completed';

/** Whether a set of conditions can be true for a task when each other task is one of the states that `statesOf` gives. */
function canHold(conditions: Conditions, { taskId, dependencies }: TaskState, statesOf: (taskId: string) => TaskState[]): boolean {
  const { dependenciesComplete, dependenciesCompleted, outcome } = conditions;
  const isCompleted = (id: string) => statesOf(id).some(completed);
  const closed =
    dependenciesComplete === true ? closureCompleted(dependencies, statesOf, [taskId]) : (dependenciesComplete ?? []).every(isCompleted);
  const some = Array.isArray(dependenciesCompleted)
    ? dependenciesCompleted.every(isCompleted)
    : dependencies.filter(isCompleted).length >= (dependenciesCompleted?.min ?? 0);
  return closed && some && (outcome === undefined || statesOf(outcome.taskId).some((state) => isOutcome(state, outcome)));
}

function isOutcome({ outcome, lastExecution }: TaskState, wanted: NonNullable<Conditions['outcome']>): boolean {
  if (outcome !== wanted.status) return false;
  if (wanted.result === undefined) return true;
  const found = valueAt(lastExecution?.result ?? null, wanted.result.path);
  return found !== undefined && isSameJson(found, wanted.result.equals);
}

/** Every task of the closure is completed in a state from which the walk can have gone on. */
const closureCompleted = (dependencies: string[], statesOf: (taskId: string) => TaskState[], above: readonly string[]): boolean =>
  dependencies
    .filter((id) => !above.includes(id))
    .every((id) => statesOf(id).some((state) => completed(state) && closureCompleted(state.dependencies, statesOf, [...above, id])));

/** Nothing fired on conditions that were at no moment true: of each task that they need, some state that could be seen then is as required. */
export const conditionsWereTrue = ({ streams }: Recorded, visible: Visible, asked: Asked): Violation[] =>
  replay(streams).flatMap(({ key, event, before }) => {
    if (event.eventType !== 'TaskTriggered' || before === undefined) return [];
    const waited = before.schedule?.strategy === 'conditional' && event.actor.type === 'system' ? before.schedule.conditions : undefined;
    const conditions = asked(event) ?? waited;
    if (conditions === undefined) return [];
    const statesOf = (taskId: string) => visible(`${event.tenantId}/${taskId}`, event);
    return canHold(conditions, before, statesOf) ? [] : [`${key}: ${event.sequence} fired on conditions that were not true`];
  });

/** No task still waits for what is true in the end. */
export const waitingHaveFired = ({ states }: Recorded): Violation[] =>
  [...states].flatMap(([key, value]) => {
    const state = value as TaskState | undefined;
    if (state?.status !== 'Scheduled' || state.schedule?.strategy !== 'conditional' || state.cascade !== null) return [];
    const statesOf = (taskId: string) =>
      [states.get(`${state.tenantId}/${taskId}`) as TaskState | undefined].filter((one) => one !== undefined);
    return canHold(state.schedule.conditions, state, statesOf) ? [`${key} still waits, although its conditions are true`] : [];
  });

/** Confirmed dependencies lead nobody back to himself. */
export const noDependencyCycle = ({ states }: Recorded): Violation[] =>
  [...states].flatMap(([key, value]) => {
    const state = value as TaskState | undefined;
    const seen = new Set<string>();
    const open = [...(state?.dependencies ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === state?.taskId) return [`${key} depends on itself`];
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...((states.get(`${state?.tenantId}/${next}`) as TaskState | undefined)?.dependencies ?? []));
    }
    return [];
  });

import { isDeepStrictEqual } from 'node:util';
import { type Event, NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { isKept, type RefusalCode, refused } from '@retrigger/domain/refusal.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import type { Recorded, Violation } from './recorded.ts';
import { replay, type Step } from './replay.ts';

/** Sequences run from 1 without a gap and every event is chained to the one before. */
export const chainIsWhole = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) => {
    const broken = firstBreak(events, 1, NO_HASH);
    return broken === undefined ? [] : [`${key}: chain breaks at ${broken.sequence}: ${broken.reason}`];
  });

/** Folding the events gives the stored state. */
export const stateIsFold = ({ streams, states }: Recorded): Violation[] =>
  [...states].flatMap(([key, state]) => {
    const folded = fold(streams.get(key) ?? []);
    return isDeepStrictEqual(folded, state) ? [] : [`${key}: the stored state is not what its events make`];
  });

export const fold = (events: Event[]): TaskState | undefined =>
  (events as TaskEvent[]).reduce<TaskState | undefined>((state, event) => taskDecider.evolve(state, event), undefined);

/** Every acknowledged command has exactly one event, and the answer was that event's. One that is not kept may come again, as often as it is refused. */
export const acknowledgedOnce = ({ streams, acknowledged }: Recorded): Violation[] => {
  const own = new Map<string, Step[]>();
  for (const step of replay(streams)) {
    const name = `${step.key} ${step.event.commandId}`;
    own.set(name, [...(own.get(name) ?? []), step]);
  }
  return acknowledged.flatMap(({ key, commandId, answer }) => {
    const outcomes = (own.get(`${key} ${commandId}`) ?? []).map(({ event, after }) => taskDecider.answer(event, after));
    if (outcomes.some(({ kind }) => kind === 'deferred')) return []; // its follow-up's event is the one that answers
    const given = (outcome: (typeof outcomes)[number]) =>
      isDeepStrictEqual(outcome.kind === 'refused' ? outcome.refusal : outcome.kind === 'accepted' ? outcome.answer : null, answer);
    const kept = outcomes.filter((outcome) => outcome.kind !== 'deferred' && isKept(outcome));
    if (kept.length > 1 || outcomes.length === 0) return [`${key}: acknowledged command ${commandId} has ${kept.length} events`];
    return outcomes.some(given) ? [] : [`${key}: ${commandId} was answered otherwise than its event says`];
  });
};

/** As the dispatcher names itself; a user of that name has a token. */
const DISPATCHER = 'dispatcher';

/**
 * No command has two events, acknowledged or not, except that one which was refused for now, and not for good, may be tried again; and what the cluster sends
 * itself may find something new the second time: a look, or a report of the dispatcher that comes again when the execution has ended otherwise.
 */
export const commandsAppliedOnce = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) => {
    const seen = new Set<string>();
    return (events as TaskEvent[]).flatMap((event) => {
      const { commandId, sequence, actor } = event;
      const isOurs = actor.type === 'system' || (actor.id === DISPATCHER && event.eventType === 'CommandRefused');
      const again = seen.has(commandId) && !isOurs ? [`${key}: command ${commandId} was applied again at ${sequence}`] : [];
      seen.add(commandId);
      if (event.eventType === 'CommandRefused' && !isKept(refused(event.metadata.code as RefusalCode, '')))
        for (const id of taskDecider.commandsOf(event)) seen.delete(id);
      return again;
    });
  });

/** A task has at most one execution at a time: between two triggers the first one ends. */
export const oneExecutionAtATime = ({ streams }: Recorded): Violation[] =>
  [...streams].flatMap(([key, events]) => {
    let running: string | null = null;
    const violations: Violation[] = [];
    for (const { eventType, sequence, metadata } of events) {
      if (eventType === 'TaskTriggered') {
        if (running !== null) violations.push(`${key}: ${sequence} triggers while ${running} runs`);
        running = String(metadata.executionId);
      }
      if (['TaskCompleted', 'TaskFailed'].includes(eventType)) {
        if (running !== metadata.executionId) violations.push(`${key}: ${sequence} ends ${metadata.executionId}, which does not run`);
        running = null;
      }
      if (eventType === 'TaskRescheduled' && metadata.cancelledExecution !== undefined) {
        if (running !== metadata.cancelledExecution)
          violations.push(`${key}: ${sequence} cancels ${metadata.cancelledExecution}, which does not run`);
        running = null;
      }
      if (eventType === 'TaskCancelled') running = null;
    }
    return violations;
  });

/** An executor is called only for executions that were triggered. */
export const callsWereTriggered = ({ streams, calls }: Recorded): Violation[] => {
  const triggered = new Set(
    [...streams.values()].flat().flatMap((event) => (event.eventType === 'TaskTriggered' ? [event.metadata.executionId] : [])),
  );
  return calls.flatMap(({ key, executionId }) =>
    triggered.has(executionId) ? [] : [`${key}: called for ${executionId}, which no event triggered`],
  );
};

/** Every execution of a task with a target was called at least once. */
export const triggersWereCalled = ({ streams, calls }: Recorded): Violation[] => {
  const called = new Set(calls.map(({ executionId }) => executionId));
  return [...streams].flatMap(([key, events]) =>
    events.flatMap((event) =>
      event.eventType === 'TaskTriggered' && !called.has(String(event.metadata.executionId))
        ? [`${key}: ${event.metadata.executionId} was never called`]
        : [],
    ),
  );
};

const CHECKERS = [chainIsWhole, stateIsFold, acknowledgedOnce, commandsAppliedOnce, oneExecutionAtATime, callsWereTriggered];

/** Everything that must hold of any history. */
export const violations = (recorded: Recorded): Violation[] => CHECKERS.flatMap((check) => check(recorded));

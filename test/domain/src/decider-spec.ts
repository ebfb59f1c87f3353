import type { Command } from '@retrigger/domain/command.ts';
import type { Outcome } from '@retrigger/domain/refusal.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { expect } from 'vitest';
import { type History, MORNING, NO_HISTORY, step } from './task-history.ts';

const AN_HOUR_LATER = MORNING + 3_600_000;

type Expectation = {
  [T in TaskEvent['eventType']]: {
    eventType: T;
    newState?: TaskEvent['newState'];
    metadata?: Partial<(TaskEvent & { eventType: T })['metadata']>;
  };
}[TaskEvent['eventType']];

/**
 * Given a history, when a command is decided an hour later, then … Each command in `given` is decided in turn and must lead to an event.
 * `thenEvent` wants exactly one event that holds what is named; `thenAnswers` wants an answer and no event.
 */
export function given(...commands: (Command | ((history: History) => Command))[]) {
  const past = commands.reduce<History>((history, next, index) => {
    const { stored, history: grown } = step(history, typeof next === 'function' ? next(history) : next, MORNING + index * 1_000);
    if (stored === undefined || stored.event.eventType === 'CommandRefused') throw new Error(`given command ${index} was not accepted`);
    return grown;
  }, NO_HISTORY);

  return {
    when(next: Command | ((history: History) => Command)) {
      const { decision, stored, history } = step(past, typeof next === 'function' ? next(past) : next, AN_HOUR_LATER);
      return {
        history,
        past,
        decision,
        stored,
        /** What the caller is told by the event. */
        outcome: () => stored && taskDecider.answer(stored.event, history.state),
        thenEvent(expected: Expectation): TaskEvent {
          expect(stored?.event).toMatchObject({ ...expected, previousState: past.state?.status ?? null, sequence: past.head.sequence + 1 });
          return stored?.event as TaskEvent;
        },
        thenRefuses(code: string): void {
          expect(stored?.event).toMatchObject({ eventType: 'CommandRefused', metadata: { code } });
          expect(stored?.event.newState).toBe(past.state?.status);
          expect(history.state).toEqual(past.state);
          expect(stored && taskDecider.answer(stored.event, history.state)).toMatchObject({ kind: 'refused', refusal: { code } });
        },
        thenAnswers(outcome: Outcome): void {
          expect(decision).toMatchObject({ kind: 'answered', outcome });
          expect(history).toBe(past);
        },
        thenState(expected: object): void {
          expect(history.state).toMatchObject(expected);
        },
      };
    },
  };
}

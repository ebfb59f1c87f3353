import type { Command } from '@retrigger/domain/command.ts';
import { type Decision, type Evidence, NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Head, type StoredEvent } from '@retrigger/domain/event.ts';
import { decisionTime, headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';

/** A task with all its events, as the engine would have it after deciding commands one by one. */
export type History = { state: TaskState | undefined; head: Head; events: StoredEvent<TaskEvent>[] };

export const NO_HISTORY: History = { state: undefined, head: EMPTY_HEAD, events: [] };
export const MORNING = Date.parse('2026-03-01T08:00:00.000Z');

export type Step = { decision: Decision; stored: StoredEvent<TaskEvent> | undefined; history: History };

/** Decides one command at the log's time `at`, on what is known of other tasks, and adds its event, if any. */
export function step(history: History, command: Command, at: number, evidence: Evidence = NO_EVIDENCE): Step {
  const position = { partition: 0, offset: (history.head.position?.offset ?? -1) + 1, at };
  const decision = taskDecider.decide(history.state, command, history.head, decisionTime(history.head, position), evidence);
  if (decision.kind !== 'event') return { decision, stored: undefined, history };
  const stored = nextEvent(history.head, history.state?.status ?? null, command, decision.event, position) as StoredEvent<TaskEvent>;
  const state = taskDecider.evolve(history.state, stored.event);
  return { decision, stored, history: { state, head: headAfter(stored), events: [...history.events, stored] } };
}

/** Decides commands one second apart. */
export const after = (...commands: Command[]): History =>
  commands.reduce((history, command, index) => step(history, command, MORNING + index * 1_000).history, NO_HISTORY);

/** The state that stored events fold to, read back from their JSON texts. */
export const folded = (events: readonly StoredEvent[]): TaskState | undefined =>
  events.reduce<TaskState | undefined>((state, { json }) => taskDecider.evolve(state, JSON.parse(json)), undefined);

/** The current execution of a history that is Running. */
export function runningExecution(history: History): string {
  const id = history.state?.execution?.executionId;
  if (id === undefined) throw new Error('nothing is running');
  return id;
}

import type { Command, CommandHeader } from './command.ts';
import type { Event, Head } from './event.ts';
import type { JsonObject } from './json.ts';
import type { Outcome } from './refusal.ts';

/** What a decision adds to the stream; the envelope is made by `nextEvent`. */
export type NewEvent = { eventType: string; schemaVersion: number; newState: string | null; metadata: JsonObject };

/**
 * D1: a command leads to at most one event. What would be two is an event and a follow-up command.
 * `answered` gives an answer and writes nothing (no such task, a report that was already taken); `nothing` is for commands that came too late to matter;
 * `tells` writes nothing either and sends commands, which a crash may lose: whoever asked asks again.
 * `needs` asks for the states of other aggregates and to be asked again. `expand` says which more a state leads to (undefined = there is none), so that a
 * whole closure is read before the next time; `dependentsOf` asks who waits for these, or once did.
 */
export type Decision =
  | { kind: 'event'; event: NewEvent }
  | { kind: 'answered'; outcome: Outcome }
  | { kind: 'nothing' }
  | { kind: 'tells'; commands: Command[] }
  | { kind: 'needs'; keys: string[]; expand?: Expand; dependentsOf?: string[] };

/** The keys of the aggregates that a state leads to. */
export type Expand = (state: unknown) => string[];

/** States of other aggregates as read for this batch, by key; undefined inside the map = there is none. What a decision rests on, its event keeps. */
export type Evidence = ReadonlyMap<string, unknown>;

/** Where the evidence keeps the ids of the tasks that `dependentsOf` asked for. */
export const dependentsKey = (key: string): string => `${key}/dependents`;

export const NO_EVIDENCE: Evidence = new Map();

/**
 * Why an aggregate is due: something must happen then (`due`); an executor's silence ends, which a heartbeat puts off (`heartbeat`); it waits for others and
 * looks again, in case nobody told it (`check`).
 */
export type WakeKind = 'due' | 'heartbeat' | 'check';

/**
 * What others look for in a state. `wakeAt` is the earliest due time in epoch milliseconds, null = none; `dueAt` the earliest that no heartbeat puts off.
 * `waitsFor` are the tasks (same tenant) whose end it waits for, or once did and may again. `claimableSince`: since when it has had an execution that an
 * executor may claim, epoch milliseconds; null = it has none.
 */
export type Lookup = {
  status: string;
  type: string;
  wakeAt: number | null;
  wakeKind: WakeKind;
  dueAt: number | null;
  waitsFor: string[];
  claimableSince: number | null;
};

/** What an answer and a receipt need of the command that they are about. */
export type Concluded = CommandHeader & Pick<Command, 'type'>;

/**
 * An aggregate as pure functions. None reads a clock, a random number or anything but its arguments.
 * `head` is the end of the stream that `state` folds; `at` is the log's time in epoch milliseconds.
 */
export type Decider<S, E extends Event = Event> = {
  decide(state: S | undefined, command: Command, head: Head, at: number, evidence: Evidence): Decision;
  evolve(state: S | undefined, event: E): S | undefined;
  /** The answer that the event gives to whoever sent its command, or that a follow-up will give it; `state` is the state after the event. */
  answer(event: E, state: S | undefined): Outcome | { kind: 'deferred' };
  /** Whose command the event answers, when that is not the one it was decided on: theirs are the answer and the receipt. Undefined: its own. */
  concludes(event: E): Concluded | undefined;
  /** The ids of the commands whose outcome the event is: its own, and after a decision in two steps the one that the first step put off. */
  commandsOf(event: E): string[];
  /** Follow-up commands, the same every time. `command` is the one that led to the event; a follow-up may give its answer. */
  react(event: E, command: Command): Command[];
  /** The command that each task waiting for this event's task is to be sent; undefined when the event ends nothing. */
  announce(event: E): ((waitingTaskId: string) => Command) | undefined;
  lookup(state: S): Lookup;
  /** Whether the event goes to the events topic. */
  isTold(event: E): boolean;
  /** The same follow-ups of one batch in as few commands as do the same, in their order. */
  join(followUps: Command[]): Command[];
};

import type { Command } from '@retrigger/domain/command.ts';
import { NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { decisionTime, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import { array, assert, constantFrom, integer, nat, oneof, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cancel, command, completed, create, failed, started, trigger } from './command-samples.ts';
import { folded, type History, MORNING, NO_HISTORY, type Step, step } from './task-history.ts';

const ADA = { actor: { id: 'ada', type: 'user' }, roles: ['operator'] } as const;
const EVE = { actor: { id: 'eve', type: 'user' }, roles: ['operator'] } as const;
const ROOT = { actor: { id: 'root', type: 'user' }, roles: ['admin'] } as const;

/** What somebody does next; `which` picks an execution: the current one, an earlier one, or one that never was. */
type Move = {
  kind: 'create' | 'trigger' | 'cancel' | 'start' | 'complete' | 'fail';
  who: typeof ADA | typeof EVE | typeof ROOT;
  which: number;
  repeat: boolean;
  elapsedMs: number;
};

const moves = array(
  record({
    kind: oneof(constantFrom('trigger', 'trigger', 'complete', 'fail'), constantFrom('create', 'start', 'cancel')),
    who: constantFrom(ADA, ADA, ADA, ROOT, EVE),
    which: oneof(nat(0), nat(3)),
    repeat: constantFrom(false, false, false, true),
    // The log's clock may jump, back as well.
    elapsedMs: integer({ min: -5_000, max: 60_000 }),
  }),
  { maxLength: 40 },
);

function toCommand(move: Move, index: number, history: History, previous: Command | undefined): Command {
  if (move.repeat && previous !== undefined) return previous;
  const commandId = `c-${index}`;
  const seen = executions(history.events.map(({ event }) => event));
  const executionId = seen.at(-1 - move.which) ?? 'deploy.never';
  const who = { actor: { ...move.who.actor }, roles: [...move.who.roles], commandId };
  switch (move.kind) {
    case 'create':
      return create(who);
    case 'trigger':
      return move.which === 0 ? trigger(who) : command({ type: 'TriggerTask', body: { context: { index } } }, who);
    case 'cancel':
      return cancel(who);
    case 'start':
      return started(executionId, commandId);
    case 'complete':
      return completed(executionId, commandId);
    case 'fail':
      return failed(executionId, commandId);
  }
}

const executions = (events: TaskEvent[]): string[] =>
  events.flatMap((event) => (event.eventType === 'TaskTriggered' ? [event.metadata.executionId] : []));

/** Plays the moves after a creation; `check` sees each decided command with the history before it. */
function play(list: Move[], check: (step: Step, command: Command, before: History, at: number) => void = () => {}): History {
  let [history, at, previous]: [History, number, Command | undefined] = [step(NO_HISTORY, create(), MORNING).history, MORNING, undefined];
  for (const [index, move] of list.entries()) {
    at += move.elapsedMs;
    const next = toCommand(move, index, history, previous);
    const taken = step(history, next, at);
    check(taken, next, history, at);
    history = taken.history;
    previous = next;
  }
  return history;
}

const forRandomHistories = (check: (list: Move[]) => void): void =>
  assert(
    property(moves, (list) => {
      check(list);
    }),
    { numRuns: 300 },
  );

const ENDS: TaskEvent['eventType'][] = ['TaskCompleted', 'TaskFailed', 'TaskCancelled'];

describe('for random command histories', () => {
  test("the state is the fold of the stored events' texts (T1)", () => {
    forRandomHistories((list) => {
      const { state, events } = play(list);
      expect(folded(events)).toEqual(state);
      expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    });
  });

  test('a refusal changes nothing (T2) and is an event (T3)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored, decision, history }, _, before) => {
        if (decision.kind !== 'event' || decision.event.eventType === 'CommandRefused') expect(history.state).toBe(before.state);
        if (decision.kind === 'answered' && before.state !== undefined) expect(decision.outcome.kind).toBe('accepted');
        if (stored?.event.eventType === 'CommandRefused') expect(stored.event.newState).toBe(stored.event.previousState);
      });
    });
  });

  test('never two executions at once: each ends before the next begins (T4)', () => {
    forRandomHistories((list) => {
      let open: string | null = null;
      const begun = new Set<string>();
      for (const { event } of play(list).events) {
        if (event.eventType === 'TaskTriggered') {
          expect(open).toBeNull();
          open = event.metadata.executionId;
          expect(begun.has(open)).toBe(false);
          begun.add(open);
        } else if (ENDS.includes(event.eventType)) open = null;
      }
    });
  });

  test('the task is Running exactly while it has an execution', () => {
    forRandomHistories((list) =>
      play(list, ({ history }) => expect(history.state?.execution !== null).toBe(history.state?.status === 'Running')),
    );
  });

  test('only the current execution is reported on (T5)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored }, _, before) => {
        const event = stored?.event;
        if (event?.eventType === 'TaskStarted' || event?.eventType === 'TaskCompleted' || event?.eventType === 'TaskFailed')
          expect(event.metadata.executionId).toBe(before.state?.execution?.executionId);
      });
    });
  });

  test('an execution starts at most once and ends at most once (T6)', () => {
    forRandomHistories((list) => {
      const reports = play(list).events.flatMap(({ event }) =>
        event.eventType === 'TaskStarted' || event.eventType === 'TaskCompleted' || event.eventType === 'TaskFailed'
          ? [`${event.eventType === 'TaskStarted' ? 'start' : 'end'} ${event.metadata.executionId}`]
          : [],
      );
      expect(new Set(reports).size).toBe(reports.length);
    });
  });

  test('a report sent again right after it was taken changes nothing and is answered the same (T6)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored, history }, sent, before, at) => {
        if (
          stored === undefined ||
          stored.event.eventType === 'CommandRefused' ||
          before.state === undefined ||
          !sent.type.endsWith('Execution')
        )
          return;
        const again = step(history, { ...sent, commandId: 'c-again' }, at);
        expect(again.stored).toBeUndefined();
        expect(again.decision).toEqual({ kind: 'answered', outcome: taskDecider.answer(stored.event, history.state) });
      });
    });
  });

  test('only the owner, an admin or the cluster changes a task (P1)', () => {
    forRandomHistories((list) => {
      for (const { event } of play(list).events)
        if (event.actor.id === 'eve' && event.eventType !== 'CommandRefused') expect(event.eventType).toBe('TaskCreated');
    });
  });

  test('a command leads to at most one event, the next in sequence (D1), and the chain holds', () => {
    forRandomHistories((list) => {
      const { events } = play(list, ({ history }, _, before) =>
        expect(history.events.length - before.events.length).toBeLessThanOrEqual(1),
      );
      expect(events.map(({ event }) => event.sequence)).toEqual(events.map((_, index) => index + 1));
      expect(
        firstBreak(
          events.map(({ json }) => JSON.parse(json)),
          1,
          NO_HASH,
        ),
      ).toBeUndefined();
    });
  });

  test("time never goes back inside a stream, though the log's clock does (D2)", () => {
    forRandomHistories((list) => {
      const times = play(list).events.map(({ event }) => event.timestamp);
      expect(times).toEqual([...times].sort());
    });
  });

  test('the same command decided again makes the same bytes, also from the folded state (D3)', () => {
    forRandomHistories((list) => {
      play(list, ({ stored }, sent, before, at) => {
        const position = stored?.position ?? { partition: 0, offset: 0, at };
        const decision = taskDecider.decide(
          folded(before.events),
          structuredClone(sent),
          { ...before.head },
          decisionTime(before.head, position),
          NO_EVIDENCE,
        );
        const again =
          decision.kind === 'event' ? nextEvent(before.head, before.state?.status ?? null, sent, decision.event, position) : undefined;
        expect(again?.json).toBe(stored?.json);
      });
    });
  });

  test('each event leads from the state before it to the state after it', () => {
    forRandomHistories((list) => {
      let status: string | null = null;
      for (const { event } of play(list).events) {
        expect(event.previousState).toBe(status);
        status = event.newState;
      }
    });
  });

  test('neither deciding nor evolving changes what it is given', () => {
    forRandomHistories((list) => {
      play(list, (_, sent, before) => {
        const copy = structuredClone({ sent, state: before.state, head: before.head });
        taskDecider.decide(before.state, sent, before.head, MORNING, NO_EVIDENCE);
        expect({ sent, state: before.state, head: before.head }).toEqual(copy);
      });
    });
  });
});

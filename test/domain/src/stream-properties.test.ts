import { NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { NO_HASH } from '@retrigger/domain/event.ts';
import { firstBreak } from '@retrigger/domain/event-hash.ts';
import { decisionTime, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { describe, expect, test } from 'vitest';
import { forRandomHistories, play } from './random-histories.ts';
import { folded, MORNING } from './task-history.ts';

describe('the stream of a task, for random command histories', () => {
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

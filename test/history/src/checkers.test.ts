import type { Command } from '@retrigger/domain/command.ts';
import { NO_EVIDENCE } from '@retrigger/domain/decider.ts';
import { EMPTY_HEAD, type Event } from '@retrigger/domain/event.ts';
import { headAfter, nextEvent } from '@retrigger/domain/next-event.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { triggersWereCalled, violations } from './checkers.ts';
import type { Recorded } from './recorded.ts';

const KEY = 'acme/deploy';

/** A sound history: created, triggered, refused while running, completed. */
function soundHistory(): Recorded {
  const recorded: Recorded = { streams: new Map(), states: new Map(), acknowledged: [], calls: [] };
  const events: Event[] = [];
  let head = EMPTY_HEAD;
  let state: TaskState | undefined;
  const send = (commandId: string, body: Pick<Command, 'type'> & { body: object }) => {
    const command = {
      commandId,
      tenantId: 'acme',
      taskId: 'deploy',
      actor: { id: 'ann', type: 'user' },
      roles: ['admin'],
      correlationId: 'c',
      ...body,
    } as Command;
    const position = { partition: 0, offset: events.length, at: 1_000 + events.length };
    const decision = taskDecider.decide(state, command, head, position.at, NO_EVIDENCE);
    if (decision.kind !== 'event') throw new Error('the history needs an event here');
    const stored = nextEvent(head, state?.status ?? null, command, decision.event, position);
    head = headAfter(stored);
    state = taskDecider.evolve(state, stored.event as TaskEvent);
    events.push(stored.event);
    const outcome = taskDecider.answer(stored.event as TaskEvent, state);
    if (outcome.kind === 'deferred') throw new Error('the history needs an answer here');
    recorded.acknowledged.push({
      key: KEY,
      commandId,
      kind: outcome.kind,
      answer: outcome.kind === 'accepted' ? outcome.answer : outcome.refusal,
    });
  };
  send('c1', { type: 'CreateTask', body: { type: 'deployment' } });
  send('c2', { type: 'TriggerTask', body: {} });
  send('c3', { type: 'TriggerTask', body: {} });
  const executionId = state?.execution?.executionId ?? '';
  send('c4', { type: 'CompleteExecution', body: { executionId, result: { ok: true } } });
  recorded.calls.push({ key: KEY, executionId });
  recorded.streams.set(KEY, events);
  recorded.states.set(KEY, state);
  return recorded;
}

/** Each breaks one promise; the checkers must say so. */
const FAULTS: Record<string, (recorded: Recorded, events: Event[]) => void> = {
  'an event is missing': (_, events) => void events.splice(1, 1),
  'an event was changed after it was stored': (_, events) => void Object.assign(events[1] as Event, { actor: { id: 'eve', type: 'user' } }),
  'two events changed places': (_, events) => void events.splice(1, 2, events[2] as Event, events[1] as Event),
  'the stored state lost an update': (recorded) =>
    void recorded.states.set(KEY, { ...(recorded.states.get(KEY) as TaskState), status: 'Running' }),
  'an acknowledged command left no event': (recorded) =>
    void recorded.acknowledged.push({ key: KEY, commandId: 'lost', kind: 'accepted', answer: {} }),
  'a caller was told something else': (recorded) =>
    void Object.assign(recorded.acknowledged[1] as object, { answer: { executionId: 'other' } }),
  'a command was applied twice': (_, events) => void events.push({ ...(events[2] as Event), sequence: 5 }),
  'a second execution began while one ran': (_, events) => void events.splice(2, 0, events[1] as Event),
  'an executor was called for nothing': (recorded) => void recorded.calls.push({ key: KEY, executionId: 'phantom' }),
};

describe('the checkers', () => {
  test('find nothing in a sound history', () => {
    expect(violations(soundHistory())).toEqual([]);
    expect(triggersWereCalled(soundHistory())).toEqual([]);
  });

  test.each(Object.entries(FAULTS))('find that %s', (_, plant) => {
    const recorded = soundHistory();
    plant(recorded, recorded.streams.get(KEY) ?? []);
    expect(violations(recorded)).not.toEqual([]);
  });

  test('find that an execution was never called', () => {
    expect(triggersWereCalled({ ...soundHistory(), calls: [] })).toHaveLength(1);
  });
});

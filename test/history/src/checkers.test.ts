import type { Event } from '@retrigger/domain/event.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { triggersWereCalled, violations } from './checkers.ts';
import type { Recorded } from './recorded.ts';
import { Story } from './story.ts';

const KEY = 'acme/deploy';

/** A sound history: created, triggered, refused while running, completed. */
function soundHistory(): Recorded {
  const story = new Story()
    .send('deploy', 0, { type: 'CreateTask', body: { type: 'deployment' } })
    .send('deploy', 1, { type: 'TriggerTask', body: {} })
    .send('deploy', 2, { type: 'TriggerTask', body: {} });
  const executionId = story.execution('deploy');
  story.send('deploy', 3, { type: 'CompleteExecution', body: { executionId, result: { ok: true } } });
  story.recorded.calls.push({ key: KEY, executionId });
  return story.recorded;
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
  'a forced reschedule ended an execution that did not run': (_, events) =>
    void events.push({
      ...(events[3] as Event),
      sequence: 5,
      eventType: 'TaskRescheduled',
      metadata: { schedule: { strategy: 'immediate' }, nextExecution: null, cancelledExecution: 'other' },
    }),
  'an executor was called for nothing': (recorded) => void recorded.calls.push({ key: KEY, executionId: 'phantom' }),
};

describe('the checkers', () => {
  test('take a forced reschedule for the end of an execution', () => {
    const story = new Story()
      .send('deploy', 0, { type: 'CreateTask', body: { type: 'deployment' } })
      .send('deploy', 1, { type: 'TriggerTask', body: {} })
      .send('deploy', 2, { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '1s' }, force: true } })
      .send('deploy', 3, { type: 'TriggerTask', body: {} });
    expect(violations(story.recorded)).toEqual([]);
  });

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

import { outcomeOf } from '@retrigger/domain/bulk/outcome.ts';
import type { BulkState } from '@retrigger/domain/bulk/state.ts';
import type { Event } from '@retrigger/domain/event.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import {
  allOrNone,
  answeredWhenVisible,
  type Bulks,
  bulkAnswersAreTrue,
  bulksHaveEnded,
  reservationsEnd,
  reservedTasksStandStill,
  youngerWereRefused,
} from './bulk-checkers.ts';
import { BEGIN, Story, TENANT } from './story.ts';

const BULK = `${TENANT}/bulk/B`;
const TASKS = ['a', 'b'];
const reserve = {
  type: 'ReserveTask' as const,
  body: { bulkId: 'B', startedAt: BEGIN, asked: { type: 'TriggerTask' as const, body: {} } },
};

/** Bulk B has triggered a and b: all of them. */
function story(): Story {
  const told = new Story();
  for (const taskId of TASKS) told.send(taskId, 0, { type: 'CreateTask', body: { type: 'job' } });
  for (const taskId of TASKS) told.send(taskId, 1_000, reserve);
  for (const taskId of TASKS) told.send(taskId, 2_000, { type: 'CommitTask', body: { bulkId: 'B' } });
  return told;
}

const bulkOf = (told: Story, more: Partial<BulkState> = {}): BulkState => ({
  ...{
    tenantId: TENANT,
    bulkId: 'B',
    type: 'BulkTrigger',
    allOrNothing: true,
    status: 'Ended',
    started: 1,
    startedAt: BEGIN,
    endedAt: BEGIN,
  },
  ...{ decision: 'commit', isOverdue: false, common: {} },
  caller: { commandId: 'c', actor: { id: 'ann', type: 'user' }, roles: [], correlationId: 'c' },
  parts: TASKS.map((taskId) => ({ taskId, at: 'accepted', executionId: told.execution(taskId) })),
  ...more,
});

const bulks = (...states: BulkState[]): Bulks => new Map(states.map((state) => [`${TENANT}/bulk/${state.bulkId}`, state]));
const without = (told: Story, taskId: string, eventType: string): void => {
  const events = told.events(taskId);
  events.splice(
    events.findIndex((event) => event.eventType === eventType),
    1,
  );
};

describe('the checkers of bulks', () => {
  test('find one that was half done, or done although it was released, or done twice', () => {
    const sound = story();
    expect(allOrNone(sound.recorded, bulks(bulkOf(sound)))).toEqual([]);
    expect(allOrNone(sound.recorded, bulks(bulkOf(sound, { decision: 'release' })))).toHaveLength(2);
    const half = story();
    without(half, 'b', 'TaskTriggered');
    expect(allOrNone(half.recorded, bulks(bulkOf(sound)))).toHaveLength(1);
    const twice = story();
    twice.events('a').push(twice.events('a').at(-1) as Event);
    expect(allOrNone(twice.recorded, bulks(bulkOf(sound)))).toHaveLength(1);
  });

  test('find one that has not ended, and tasks that are still held or waited for', () => {
    const sound = story();
    expect(bulksHaveEnded(sound.recorded, bulks(bulkOf(sound)))).toEqual([]);
    expect(bulksHaveEnded(sound.recorded, bulks(bulkOf(sound, { status: 'Committing' })))).toHaveLength(1);
    const held = new Story().send('a', 0, { type: 'CreateTask', body: { type: 'job' } }).send('a', 1_000, reserve);
    expect(bulksHaveEnded(held.recorded, bulks())).toHaveLength(1);
    const older = { ...reserve, body: { ...reserve.body, bulkId: 'A', startedAt: BEGIN - 1 } };
    expect(bulksHaveEnded(held.send('a', 1_500, older).recorded, bulks())).toHaveLength(2);
  });

  test('find an answer that is not what became of it', () => {
    const sound = story();
    const state = bulkOf(sound);
    const outcome = outcomeOf(state);
    const answer = outcome.kind === 'accepted' ? outcome.answer : {};
    const told = (given: object) => [{ key: BULK, commandId: 'c', kind: 'accepted' as const, answer: given }];
    expect(bulkAnswersAreTrue(sound.recorded, bulks(state), told(answer))).toEqual([]);
    expect(bulkAnswersAreTrue(sound.recorded, bulks(state), told({ ...answer, accepted: 1 }))).toHaveLength(1);
    without(sound, 'a', 'TaskTriggered');
    expect(bulkAnswersAreTrue(sound.recorded, bulks(state), told(answer))).toHaveLength(1);
  });

  test('find an answer that came before everybody could see what it says', () => {
    const sound = story();
    const told = [{ key: BULK, commandId: 'c', kind: 'accepted' as const, answer: {}, step: 7 }];
    const seen = (key: string) => (sound.recorded.states.get(key) as TaskState).version;
    expect(answeredWhenVisible(sound.recorded, bulks(bulkOf(sound)), told, seen)).toEqual([]);
    expect(answeredWhenVisible(sound.recorded, bulks(bulkOf(sound)), told, (key) => seen(key) - 1)).toHaveLength(2);
  });

  test('find a reservation that stood for too long', () => {
    expect(reservationsEnd(story().recorded, 1_000)).toEqual([]);
    expect(reservationsEnd(story().recorded, 999)).toHaveLength(2);
  });

  test('find what happened to a task while it was reserved', () => {
    const sound = story();
    expect(reservedTasksStandStill(sound.recorded)).toEqual([]);
    const last = sound.events('a').at(-1) as Event;
    last.metadata = { ...last.metadata, bulkId: 'another' };
    expect(reservedTasksStandStill(sound.recorded)).toHaveLength(1);
  });

  test('find one that was refused because of a younger one', () => {
    const sound = story();
    const refused = (startedAt: number) =>
      bulkOf(sound, {
        ...{ bulkId: 'C', startedAt, decision: 'release' },
        parts: [
          {
            ...{ taskId: 'a', at: 'refused' },
            error: { code: 'task_reserved', title: '', detail: 'Task a is reserved by bulk B; try again when that has ended' },
          },
        ],
      });
    expect(youngerWereRefused(bulks(bulkOf(sound), refused(BEGIN + 1)))).toEqual([]);
    expect(youngerWereRefused(bulks(bulkOf(sound), refused(BEGIN - 1)))).toHaveLength(1);
  });
});

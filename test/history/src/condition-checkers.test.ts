import type { Conditions } from '@retrigger/domain/conditions.ts';
import type { TaskEvent } from '@retrigger/domain/task/events.ts';
import type { TaskState } from '@retrigger/domain/task/state.ts';
import { describe, expect, test } from 'vitest';
import { fold } from './checkers.ts';
import { conditionsWereTrue, noDependencyCycle, waitingHaveFired } from './condition-checkers.ts';
import { Story } from './story.ts';

const create = (dependencies: string[] = []) => ({ type: 'CreateTask' as const, body: { type: 'job', dependencies } });

/** `build` has completed; `deploy`, which depends on it, waited for the conditions and has fired. */
function story(conditions: Conditions): Story {
  const told = new Story()
    .send('build', 0, create())
    .send('deploy', 1, create(['build']))
    .send('build', 2, { type: 'TriggerTask', body: {} });
  told.send('deploy', 3, { type: 'RescheduleTask', body: { schedule: { strategy: 'conditional', conditions } } });
  told.send('build', 4, { type: 'CompleteExecution', body: { executionId: told.execution('build'), result: { ok: true } } });
  return told.send('deploy', 5, { type: 'Check', body: {} }, 'cluster');
}

const KINDS: { [kind: string]: Conditions } = {
  'a closure': { dependenciesComplete: true },
  'a list': { dependenciesComplete: ['build'] },
  'named dependencies': { dependenciesCompleted: ['build'] },
  'a number of dependencies': { dependenciesCompleted: { min: 1 } },
  'an outcome': { outcome: { taskId: 'build', status: 'Completed' } },
  'a result': { outcome: { taskId: 'build', status: 'Completed', result: { path: '/ok', equals: true } } },
};

const asNow = (told: Story) => (key: string) => [told.recorded.states.get(key) as TaskState].filter((state) => state !== undefined);
const none = () => undefined;

describe('the checkers of conditions', () => {
  test.each(Object.entries(KINDS))('take %s that came true', (_, conditions) => {
    const told = story(conditions);
    expect(conditionsWereTrue(told.recorded, asNow(told), none)).toEqual([]);
  });

  test.each(Object.entries(KINDS))('find %s that was not true', (_, conditions) => {
    const told = story(conditions);
    const failed = (key: string) => asNow(told)(key).map((state): TaskState => ({ ...state, outcome: 'Failed' }));
    expect(conditionsWereTrue(told.recorded, failed, none)).toHaveLength(1);
  });

  test('find another result than the one that was asked for', () => {
    const told = story(KINDS['a result'] ?? {});
    const other = (key: string) =>
      asNow(told)(key).map((state) => ({
        ...state,
        lastExecution: state.lastExecution && { ...state.lastExecution, result: { ok: false } },
      }));
    expect(conditionsWereTrue(told.recorded, other, none)).toHaveLength(1);
  });

  test('judge a trigger by the conditions of its own command', () => {
    const told = story(KINDS['an outcome'] ?? {});
    const asked = (event: TaskEvent): Conditions | undefined =>
      event.taskId === 'deploy' ? { outcome: { taskId: 'build', status: 'Failed' } } : undefined;
    expect(conditionsWereTrue(told.recorded, asNow(told), asked)).toHaveLength(1);
  });

  test('find a task that still waits for what is true', () => {
    const told = story(KINDS['a closure'] ?? {});
    expect(waitingHaveFired(told.recorded)).toEqual([]);
    const events = told.events('deploy');
    told.recorded.states.set('acme/deploy', fold(events.slice(0, -1)));
    expect(waitingHaveFired(told.recorded)).toHaveLength(1);
  });

  test('leave a task alone that waits for what is not true', () => {
    const told = story(KINDS['a closure'] ?? {});
    told.recorded.states.set('acme/deploy', fold(told.events('deploy').slice(0, -1)));
    told.recorded.states.set('acme/build', fold(told.events('build').slice(0, -1)));
    expect(waitingHaveFired(told.recorded)).toEqual([]);
  });

  test('find tasks that depend on each other', () => {
    const told = story(KINDS['a closure'] ?? {});
    expect(noDependencyCycle(told.recorded)).toEqual([]);
    told.recorded.states.set('acme/build', { ...told.state('build'), dependencies: ['deploy'] });
    expect(noDependencyCycle(told.recorded)).toHaveLength(2);
  });
});

import type { Command } from '@retrigger/domain/command.ts';
import type { Evidence } from '@retrigger/domain/decider.ts';
import type { RescheduleBody } from '@retrigger/domain/task/commands.ts';
import { taskDecider } from '@retrigger/domain/task/decider.ts';
import { describe, expect, test } from 'vitest';
import { after, change, create, id, last, reschedule, statuses, trigger } from './chain-samples.ts';
import { Cluster } from './cluster.ts';
import { command } from './command-samples.ts';
import { type History, MORNING, NO_HISTORY, step } from './task-history.ts';

const on = (taskId: string): RescheduleBody => ({ schedule: after({ dependenciesComplete: [taskId] }) });

/** What a worker reads of tasks: the states as they stand in these histories. */
const read = (histories: Record<string, History>): Evidence =>
  new Map(Object.entries(histories).map(([taskId, { state }]) => [`acme/${taskId}`, state]));

describe('two conditional reschedules that close a cycle only together', () => {
  const born = (taskId: string) => step(NO_HISTORY, create(taskId), MORNING).history;

  test('each decided before the other was saved: at least one is refused, and no proposal is left (V1)', () => {
    const before = { a: born('a'), b: born('b') };
    const [askA, askB] = [reschedule('a', on('b')), reschedule('b', on('a'))];
    const first = step(before.a, askA, MORNING + 1, read(before));
    const second = step(before.b, askB, MORNING + 1, read(before)); // on what was saved before either
    expect([first.stored?.event.eventType, second.stored?.event.eventType]).toEqual(['DependenciesProposed', 'DependenciesProposed']);
    const saved = { a: first.history, b: second.history };
    const confirmA = taskDecider.react(saved.a.events.at(-1)?.event as never, askA)[0] as Command;
    const confirmB = taskDecider.react(saved.b.events.at(-1)?.event as never, askB)[0] as Command;
    const endA = step(saved.a, confirmA, MORNING + 2, read(saved)).history;
    const endB = step(saved.b, confirmB, MORNING + 2, read(saved)).history;
    for (const { state, events } of [endA, endB]) {
      expect(state?.proposal).toBeNull();
      expect(events.at(-1)?.event).toMatchObject({
        eventType: 'CommandRefused',
        metadata: { command: 'RescheduleTask', code: 'circular_dependency' },
      });
    }
  });

  test('also when one is a patch', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b'));
    cluster.settle();
    cluster.send(change('a', ['b']), reschedule('b', on('a')));
    cluster.decide('a');
    cluster.decide('b');
    cluster.settle();
    expect([last(cluster, 'a')?.eventType, last(cluster, 'b')?.eventType]).toContain('CommandRefused');
    for (const taskId of ['a', 'b']) expect(cluster.state(taskId)?.proposal).toBeNull();
  });
});

describe('a conditional reschedule', () => {
  test('on tasks that it depends on anyway is decided at once', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b', { dependencies: ['a'] }), reschedule('b', on('a')));
    cluster.settle();
    expect(cluster.events('b').map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'TaskRescheduled']);
  });

  test('on others is answered by its second step, with the schedule that was asked for', () => {
    const cluster = new Cluster();
    const asked = reschedule('b', { ...on('a'), reason: 'wait for a' });
    cluster.send(create('a'), create('b'), asked);
    cluster.settle();
    expect(cluster.events('b').map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'DependenciesProposed', 'TaskRescheduled']);
    expect(last(cluster, 'b')).toMatchObject({
      newState: 'Scheduled',
      metadata: { strategy: 'conditional', reason: 'wait for a', waitsFor: ['a'], proposal: asked.commandId },
    });
    expect(cluster.state('b')?.proposal).toBeNull();
    expect(taskDecider.commandsOf(last(cluster, 'b') as never)).toContain(asked.commandId);
  });

  test('of a task that began to run between its two steps is refused, and proposes no more (T2)', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b'));
    cluster.settle();
    cluster.send(reschedule('b', on('a')), trigger('b'));
    cluster.settle();
    expect(last(cluster, 'b')).toMatchObject({ metadata: { command: 'RescheduleTask', code: 'task_already_running' } });
    expect(cluster.state('b')).toMatchObject({ status: 'Running', proposal: null });
  });

  test('and its twin make one proposal; the twin writes nothing, whatever the task does meanwhile', () => {
    const cluster = new Cluster();
    const asked = reschedule('b', on('a'));
    cluster.send(create('a'), create('b'), asked, trigger('b'), asked);
    for (let decided = 0; decided < 4; decided++) cluster.decide('b');
    expect(cluster.events('b').map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'DependenciesProposed', 'TaskTriggered']);
    cluster.settle();
  });

  test('decided while another change of what it waits for is checked is refused', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b'), change('b', ['a']), reschedule('b', on('a')));
    cluster.settle();
    expect(cluster.events('b').map(({ metadata }) => ('code' in metadata ? metadata.code : null))).toContain('invalid_state');
    expect(statuses(cluster, 'b')).toEqual(['Draft']);
  });
});

describe('a patch with dependencies', () => {
  const patch = (body: object) => command({ type: 'ChangeTask', body }, { taskId: 'b', commandId: id() });

  test('keeps what another patch has changed between its two steps', () => {
    const cluster = new Cluster();
    const url = 'https://example.com/';
    cluster.send(create('a'), create('b', { target: { url } }));
    cluster.settle();
    cluster.send(
      patch({ dependencies: ['a'], retry: { maxAttempts: 3 }, target: { url: `${url}1` } }),
      patch({ retry: { baseDelay: '9s' }, target: { url: `${url}2` } }),
    );
    cluster.settle();
    expect(cluster.state('b')).toMatchObject({
      dependencies: ['a'],
      retry: { maxAttempts: 3, baseDelay: '9s' },
      target: { url: `${url}1`, secretGeneration: 3 },
    });
  });
});

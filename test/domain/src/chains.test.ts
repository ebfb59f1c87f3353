import type { Status } from '@retrigger/domain/task/state.ts';
import { array, assert, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, chain, change, create, last, report, reschedule, runs, statuses, trigger } from './chain-samples.ts';
import { Cluster } from './cluster.ts';

describe('a chain', () => {
  test('runs in order without a hand, each step once', () => {
    const { cluster, names } = chain(5);
    cluster.send(trigger('step-0'));
    for (const [index, name] of names.entries()) {
      cluster.settle();
      expect(statuses(cluster, ...names)).toEqual(
        names.map((_, at) => (at < index ? 'Completed' : at === index ? 'Running' : 'Scheduled')),
      );
      report(cluster, name, 'Completed');
    }
    cluster.settle();
    expect(names.map((name) => runs(cluster, name))).toEqual([1, 1, 1, 1, 1]);
  });

  test('stops where a step fails, and goes on when it is triggered again and completes', () => {
    const { cluster } = chain(3);
    cluster.send(trigger('step-0'));
    cluster.settle();
    report(cluster, 'step-0', 'Failed');
    cluster.settle();
    expect(statuses(cluster, 'step-0', 'step-1')).toEqual(['Failed', 'Scheduled']);
    cluster.send(trigger('step-0'));
    cluster.settle();
    report(cluster, 'step-0', 'Completed');
    cluster.settle();
    expect(statuses(cluster, 'step-0', 'step-1')).toEqual(['Completed', 'Running']);
  });

  test('starts nothing while an attempt that failed will be tried again', () => {
    const cluster = new Cluster();
    cluster.send(create('a', { retry: { maxAttempts: 2, jitter: 'none' } }));
    cluster.settle();
    cluster.send(create('on-failure', { schedule: after({ outcome: { taskId: 'a', status: 'Failed' } }) }), trigger('a'));
    cluster.settle();
    report(cluster, 'a', 'Failed');
    cluster.settle();
    expect(statuses(cluster, 'a', 'on-failure')).toEqual(['Scheduled', 'Scheduled']);
    cluster.advance(cluster.now + 1_000);
    expect(cluster.state('a')?.execution?.attempt).toBe(2);
    report(cluster, 'a', 'Failed');
    cluster.settle();
    expect(statuses(cluster, 'a', 'on-failure')).toEqual(['Failed', 'Running']);
  });
});

describe('a branch', () => {
  test.each<['Completed' | 'Failed', Status, Status]>([
    ['Completed', 'Running', 'Scheduled'],
    ['Failed', 'Scheduled', 'Running'],
  ])('after %s: on-success is %s, on-failure is %s', (how, success, failure) => {
    const cluster = new Cluster();
    cluster.send(create('a'));
    cluster.settle();
    cluster.send(create('on-success', { schedule: after({ outcome: { taskId: 'a', status: 'Completed' } }) }));
    cluster.send(create('on-failure', { schedule: after({ outcome: { taskId: 'a', status: 'Failed' } }) }), trigger('a'));
    cluster.settle();
    report(cluster, 'a', how);
    cluster.settle();
    expect(statuses(cluster, 'on-success', 'on-failure')).toEqual([success, failure]);
  });

  test('can depend on a field of the result', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), trigger('a'));
    cluster.settle();
    for (const colour of ['red', 'blue']) {
      const outcome = { taskId: 'a', status: 'Completed' as const, result: { path: '', equals: colour } };
      cluster.send(create(`on-${colour}`, { schedule: after({ outcome }) }));
    }
    cluster.settle();
    report(cluster, 'a', 'Completed', 'blue');
    cluster.settle();
    expect(statuses(cluster, 'on-red', 'on-blue')).toEqual(['Scheduled', 'Running']);
  });
});

describe('waiting', () => {
  test('ends at once when the conditions hold already, however old the completion', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), trigger('a'));
    cluster.settle();
    report(cluster, 'a', 'Completed');
    cluster.advance(cluster.now + 100 * 86_400_000);
    cluster.send(create('b', { schedule: after({ dependenciesComplete: ['a'] }) }));
    cluster.settle();
    expect(statuses(cluster, 'b')).toEqual(['Running']);
  });

  test('sees each end, in whatever order starting to wait and ending are decided', () => {
    assert(
      property(array(nat(20), { minLength: 30, maxLength: 30 }), (picks) => {
        const cluster = new Cluster();
        cluster.send(create('a'), trigger('a'), create('b'), trigger('b'), create('c', { dependencies: ['a', 'b'] }));
        cluster.settle();
        report(cluster, 'a', 'Completed');
        report(cluster, 'b', 'Completed');
        cluster.send(reschedule('c', { schedule: { strategy: 'conditional', conditions: { dependenciesComplete: true } } }));
        cluster.settle(() => picks.shift() ?? 0);
        expect(statuses(cluster, 'c')).toEqual(['Running']);
        expect(runs(cluster, 'c')).toBe(1);
      }),
    );
  });

  test('goes on when a completion that counted is taken back and made again', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), trigger('a'), create('b'), trigger('b'));
    cluster.settle();
    report(cluster, 'a', 'Completed');
    cluster.settle();
    cluster.send(create('c', { schedule: after({ dependenciesComplete: ['a', 'b'] }) }));
    cluster.send(reschedule('a', { schedule: { strategy: 'immediate' } }));
    cluster.settle();
    report(cluster, 'b', 'Completed');
    cluster.settle();
    expect(statuses(cluster, 'a', 'b', 'c')).toEqual(['Running', 'Completed', 'Scheduled']);
    report(cluster, 'a', 'Completed');
    cluster.settle();
    expect(statuses(cluster, 'c')).toEqual(['Running']);
  });
});

describe('waiting for a closure', () => {
  test('ends when a patch of the task takes away what was missing', () => {
    const cluster = new Cluster();
    const schedule = after({ dependenciesComplete: true });
    cluster.send(create('a'), create('b'), trigger('b'), create('waiting', { dependencies: ['a'], schedule }));
    cluster.settle();
    report(cluster, 'b', 'Completed');
    cluster.settle();
    cluster.send(change('waiting', ['b']));
    cluster.settle();
    expect(statuses(cluster, 'waiting')).toEqual(['Running']);
  });

  test('ends when a patch of a dependency takes away what was missing', () => {
    const cluster = new Cluster();
    const schedule = after({ dependenciesComplete: true });
    cluster.send(create('a'), create('b', { dependencies: ['a'] }), trigger('b'), create('waiting', { dependencies: ['b'], schedule }));
    cluster.settle();
    report(cluster, 'b', 'Completed');
    cluster.settle();
    expect(statuses(cluster, 'waiting')).toEqual(['Scheduled']);
    cluster.send(change('b', []));
    cluster.settle();
    expect(statuses(cluster, 'waiting')).toEqual(['Running']);
  });
});

describe('dependencies', () => {
  test('are changed in two steps, and refused with the path when they would close a cycle', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b', { dependencies: ['a'] }), create('c', { dependencies: ['b'] }));
    cluster.settle();
    cluster.send(change('a', ['c']));
    cluster.settle();
    expect(cluster.events('a').map(({ eventType }) => eventType)).toEqual(['TaskCreated', 'DependenciesProposed', 'CommandRefused']);
    expect(last(cluster, 'a')).toMatchObject({ metadata: { code: 'circular_dependency', more: { cycle: ['a', 'c', 'b', 'a'] } } });
    expect(cluster.state('a')).toMatchObject({ dependencies: [], proposal: null });
  });

  test('that only together close a cycle are never both confirmed, in whatever order they are decided', () => {
    assert(
      property(array(nat(20), { minLength: 20, maxLength: 20 }), (picks) => {
        const cluster = new Cluster();
        cluster.send(create('a'), create('b'), create('c'));
        cluster.settle();
        cluster.send(change('a', ['b']), change('b', ['c']), change('c', ['a']));
        cluster.settle(() => picks.shift() ?? 0);
        const confirmed = ['a', 'b', 'c'].filter((taskId) => (cluster.state(taskId)?.dependencies.length ?? 0) > 0);
        expect(confirmed.length).toBeLessThan(3);
        for (const taskId of ['a', 'b', 'c']) expect(cluster.state(taskId)?.proposal).toBeNull();
      }),
    );
  });

  test('of a conditional reschedule are refused with the path when they would close a cycle', () => {
    const cluster = new Cluster();
    cluster.send(create('a'), create('b', { dependencies: ['a'] }));
    cluster.settle();
    cluster.send(reschedule('a', { schedule: { strategy: 'conditional', conditions: { dependenciesCompleted: ['b'] } } }));
    cluster.settle();
    expect(last(cluster, 'a')).toMatchObject({ metadata: { code: 'circular_dependency', more: { cycle: ['a', 'b', 'a'] } } });
    expect(statuses(cluster, 'a')).toEqual(['Draft']);
  });
});

import { array, assert, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, chain, id, last, report, reporter, reschedule, runs, statuses, trigger } from './chain-samples.ts';
import type { Cluster } from './cluster.ts';
import { command } from './command-samples.ts';

describe('a cascade', () => {
  /** A chain of five that failed at step-2, and then everything again from step-0. */
  function failedAtThird(): { cluster: Cluster; names: string[] } {
    const { cluster, names } = chain(5);
    cluster.send(trigger('step-0'));
    for (const [name, how] of [
      ['step-0', 'Completed'],
      ['step-1', 'Completed'],
      ['step-2', 'Failed'],
    ] as const) {
      cluster.settle();
      report(cluster, name, how);
    }
    cluster.settle();
    return { cluster, names };
  }

  test('resets everything downstream, then runs it in order, each step once, in any order of decisions', () => {
    assert(
      property(array(nat(20), { minLength: 60, maxLength: 60 }), (picks) => {
        const { cluster, names } = failedAtThird();
        const before = names.map((name) => runs(cluster, name));
        const pick = () => picks.shift() ?? 0;
        cluster.send(reschedule('step-0', { schedule: { strategy: 'immediate' }, cascade: true, force: true }));
        cluster.advance(cluster.now + 1_000, pick);
        for (const [index, name] of names.entries()) {
          expect(statuses(cluster, ...names)).toEqual(
            names.map((_, at) => (at < index ? 'Completed' : at === index ? 'Running' : 'Scheduled')),
          );
          report(cluster, name, 'Completed');
          cluster.settle(pick);
        }
        expect(names.map((name, index) => runs(cluster, name) - (before[index] ?? 0))).toEqual([1, 1, 1, 1, 1]);
      }),
      { numRuns: 50 },
    );
  });

  test('cancels what runs downstream; its late report is stale', () => {
    const { cluster } = chain(2);
    cluster.send(trigger('step-0'));
    cluster.settle();
    report(cluster, 'step-0', 'Completed');
    cluster.settle();
    const old = cluster.state('step-1')?.execution?.executionId ?? '';
    cluster.send(reschedule('step-0', { schedule: { strategy: 'immediate' }, cascade: true }));
    cluster.settle();
    expect(statuses(cluster, 'step-0', 'step-1')).toEqual(['Running', 'Scheduled']);
    cluster.send(command({ type: 'CompleteExecution', body: { executionId: old } }, { ...reporter, taskId: 'step-1', commandId: id() }));
    cluster.settle();
    expect(last(cluster, 'step-1')).toMatchObject({ eventType: 'CommandRefused', metadata: { code: 'stale_execution' } });
  });

  test('of tasks that another owner has is refused, and nothing of them is touched (X4)', () => {
    const { cluster } = chain(2);
    const eve = { actor: { id: 'eve', type: 'user' as const } };
    const waiting = { type: 'hers', dependencies: ['step-1'], schedule: after({ dependenciesComplete: true }) };
    cluster.send(command({ type: 'CreateTask', body: waiting }, { ...eve, taskId: 'hers', commandId: id() }));
    cluster.settle();
    const again = reschedule('step-0', { schedule: { strategy: 'delayed', delay: '1h' }, cascade: true });
    cluster.send(again);
    cluster.settle();
    expect(last(cluster, 'step-0')).toMatchObject({
      metadata: { code: 'forbidden', detail: 'The cascade would run tasks of other owners: hers' },
    });
    expect(cluster.events('hers')).toHaveLength(1);
    cluster.send({ ...again, commandId: id(), roles: ['admin'] });
    cluster.settle();
    expect(last(cluster, 'hers')).toMatchObject({ metadata: { reason: 'armed again by the cascade of step-0' } });
  });

  test('leaves a task alone that was made recurring since, and doesn’t wait for it', () => {
    const { cluster } = chain(2);
    const nightly = { strategy: 'cron', cron: '0 3 * * *' } as const;
    cluster.send(reschedule('step-1', { schedule: nightly }));
    cluster.settle();
    cluster.send(reschedule('step-0', { schedule: { strategy: 'immediate' }, cascade: true }));
    cluster.settle();
    expect(cluster.state('step-1')?.schedule).toEqual(nightly);
    expect(statuses(cluster, 'step-0')).toEqual(['Running']);
  });

  test('arms a step again that was retried by hand with a one-time schedule', () => {
    const { cluster } = chain(2);
    cluster.send(reschedule('step-1', { schedule: { strategy: 'immediate' } }));
    cluster.settle();
    report(cluster, 'step-1', 'Failed');
    cluster.settle();
    cluster.send(reschedule('step-0', { schedule: { strategy: 'immediate' }, cascade: true }));
    cluster.settle();
    expect(statuses(cluster, 'step-0', 'step-1')).toEqual(['Running', 'Scheduled']);
  });
});

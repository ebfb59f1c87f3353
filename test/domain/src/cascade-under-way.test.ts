import { describe, expect, test } from 'vitest';
import { after, create, last, report, reschedule, runs, statuses, trigger } from './chain-samples.ts';
import { Cluster } from './cluster.ts';
import { cancel } from './command-samples.ts';

const again = { schedule: { strategy: 'immediate' }, cascade: true, force: true } as const;

/** Waits for the one task before it, and for nothing that lies behind that. */
const waitingFor = (taskId: string, before: string) =>
  create(taskId, { dependencies: [before], schedule: after({ dependenciesComplete: [before] }) });

/** step-0 … step-2, all completed once; then everything again from step-0, of which step-1 has not heard yet, but step-2 has. */
function halfReset(): Cluster {
  const cluster = new Cluster();
  cluster.send(create('step-0'), waitingFor('step-1', 'step-0'), waitingFor('step-2', 'step-1'), trigger('step-0'));
  for (const name of ['step-0', 'step-1', 'step-2']) {
    cluster.settle();
    report(cluster, name, 'Completed');
  }
  cluster.settle();
  cluster.send(reschedule('step-0', again));
  cluster.decide('step-0');
  cluster.decide('step-2');
  expect(statuses(cluster, 'step-0', 'step-1', 'step-2')).toEqual(['Scheduled', 'Completed', 'Scheduled']);
  return cluster;
}

/** Everybody but step-1 decides what there is to decide: it is on a partition that is being taken over. */
function settleWithout(cluster: Cluster, taskId: string): void {
  for (let others = cluster.busy; others.some((name) => name !== taskId); others = cluster.busy)
    cluster.decide(others.find((name) => name !== taskId) as string);
}

describe('while a cascade is prepared', () => {
  test('its root can’t be triggered by hand; it starts by itself when every task was reset (X2)', () => {
    const cluster = halfReset();
    cluster.send(trigger('step-0'));
    settleWithout(cluster, 'step-1');
    expect(last(cluster, 'step-0')).toMatchObject({ eventType: 'CommandRefused', metadata: { code: 'invalid_state' } });
    cluster.settle();
    expect(statuses(cluster, 'step-0', 'step-1', 'step-2')).toEqual(['Running', 'Scheduled', 'Scheduled']);
  });

  test.each([
    ['cancelled', () => cancel({ taskId: 'step-0', commandId: 'c-cancel' })],
    ['rescheduled', () => reschedule('step-0', { schedule: { strategy: 'delayed', delay: '1h' } })],
  ])('a root that is %s lets nobody start on what was before (X3)', (_, act) => {
    const cluster = halfReset();
    cluster.send(act());
    settleWithout(cluster, 'step-1');
    cluster.send(cluster.look('step-2'));
    settleWithout(cluster, 'step-1');
    expect(runs(cluster, 'step-2')).toBe(1);
    cluster.send(reschedule('step-0', { schedule: { strategy: 'immediate' } }));
    cluster.settle();
    for (const name of ['step-0', 'step-1', 'step-2']) {
      cluster.settle();
      report(cluster, name, 'Completed');
    }
    cluster.settle();
    expect([runs(cluster, 'step-0'), runs(cluster, 'step-1'), runs(cluster, 'step-2')]).toEqual([2, 2, 2]);
  });

  test('a root that another cascade arms again lets nobody start before that one begins either (X3)', () => {
    const cluster = new Cluster();
    cluster.send(create('top'), waitingFor('root', 'top'), waitingFor('mid', 'root'), waitingFor('end', 'mid'), trigger('top'));
    for (const name of ['top', 'root', 'mid', 'end']) {
      cluster.settle();
      report(cluster, name, 'Completed');
    }
    cluster.settle();
    cluster.send(reschedule('root', again));
    cluster.decide('root');
    cluster.decide('end');
    while (cluster.busy.includes('end')) cluster.decide('end');
    cluster.send(reschedule('top', { ...again, schedule: { strategy: 'delayed', delay: '1h' } }), cluster.look('end'));
    cluster.decide('top');
    while (cluster.state('root')?.cascade?.root !== 'top') cluster.decide('root');
    cluster.decide('end'); // looks, and has not heard of the second cascade
    expect(cluster.state('end')?.cascade?.root).toBe('root');
    expect(runs(cluster, 'end')).toBe(1);
  });

  test('a root starts although more cascades than anybody counts went over a task of it', () => {
    const cluster = new Cluster();
    const names = Array.from({ length: 12 }, (_, nth) => `root-${nth}`);
    for (const name of names) cluster.send(create(name));
    cluster.settle();
    cluster.send(create('shared', { schedule: after({ dependenciesComplete: names }) }));
    cluster.settle();
    for (const name of names) {
      cluster.send(reschedule(name, again));
      cluster.decide(name);
    }
    while (cluster.busy.includes('shared')) cluster.decide('shared');
    cluster.settle();
    expect(statuses(cluster, ...names)).toEqual(names.map(() => 'Running'));
  });

  test('an earlier reset that comes again does nothing', () => {
    const cluster = halfReset();
    const { taskId, body } = cluster.waiting('step-1')[0] as { taskId: string; body: object };
    cluster.settle();
    cluster.send(reschedule('step-0', again));
    cluster.settle();
    const before = cluster.events(taskId).length;
    cluster.send({ ...cluster.look('step-1'), type: 'ResetTask', body } as never);
    cluster.settle();
    expect(cluster.events(taskId)).toHaveLength(before);
  });
});

import { describe, expect, test } from 'vitest';
import { chain, last, reschedule, statuses } from './chain-samples.ts';

const NIGHTLY = { strategy: 'cron', cron: '0 3 * * *' } as const;
const AFTER_ROOT = { strategy: 'conditional', conditions: { outcome: { taskId: 'step-0', status: 'Completed' } } } as const;

/** A cascade whose root starts in an hour; its only other task is made recurring before the reset reaches it, and waits again later. */
function left() {
  const { cluster } = chain(2);
  cluster.send(reschedule('step-0', { schedule: { strategy: 'delayed', delay: '1h' }, cascade: true }));
  cluster.decide('step-0');
  const [reset] = cluster.take('step-1');
  cluster.send(reschedule('step-1', { schedule: NIGHTLY }));
  if (reset !== undefined) cluster.send(reset);
  cluster.settle();
  cluster.send(reschedule('step-1', { schedule: AFTER_ROOT }));
  cluster.settle();
  return cluster;
}

describe('a task that has left the chain of a cascade (X5)', () => {
  test('says so, and keeps what it has', () => {
    const cluster = left();
    const refusals = cluster.events('step-1').filter(({ eventType }) => eventType === 'CommandRefused');
    expect(refusals).toMatchObject([{ metadata: { command: 'ResetTask', code: 'invalid_state' } }]);
    expect(last(cluster, 'step-1')).toMatchObject({ eventType: 'TaskRescheduled', metadata: { strategy: 'conditional' } });
  });

  test('is not waited for, also when it waits for others again', () => {
    const cluster = left();
    cluster.advance(cluster.now + 3_600_000);
    expect(statuses(cluster, 'step-0', 'step-1')).toEqual(['Running', 'Scheduled']);
  });
});

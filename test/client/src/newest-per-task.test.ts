import { NewestPerTask } from '@retrigger/client/newest-per-task.ts';
import { expect, test } from 'vitest';

const event = (taskId: string, sequence: number, tenantId = 'acme') => ({ tenantId, taskId, sequence });

test('a repeat and a step back are not new; other tasks and tenants have sequences of their own', () => {
  const newest = new NewestPerTask();
  const seen = [event('a', 1), event('a', 2), event('b', 1), event('a', 2), event('a', 1), event('a', 1, 'other'), event('a', 4)].map(
    (one) => {
      const isNew = newest.isNew(one);
      newest.handled(one);
      return isNew;
    },
  );
  expect(seen).toEqual([true, true, true, false, false, true, true]);
});

test('what was not handled is new when it comes again', () => {
  const newest = new NewestPerTask();
  expect([newest.isNew(event('a', 1)), newest.isNew(event('a', 1))]).toEqual([true, true]);
});

test('it remembers the last 100,000 tasks, and no more', () => {
  const newest = new NewestPerTask();
  for (let i = 0; i <= 100_000; i++) newest.handled(event(`t${i}`, 1));
  expect([newest.isNew(event('t0', 1)), newest.isNew(event('t1', 1))]).toEqual([true, false]);
});

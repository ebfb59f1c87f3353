import type { Event } from '@retrigger/domain/event.ts';
import type { TaskCommandBody } from '@retrigger/domain/task/commands.ts';
import { describe, expect, test } from 'vitest';
import { dueTimesFireOnce, endedInTime, firedWithin, nothingIsOverdue } from './due-time-checkers.ts';
import { BEGIN, Story } from './story.ts';

const wake = (afterMs: number): TaskCommandBody => ({ type: 'Wake', body: { wakeAt: BEGIN + afterMs, silentSince: null } });

/** Delayed by a second and started in time; its deadline passes, so it is tried again, and completes. */
function story(): Story {
  const told = new Story()
    .send('deploy', 0, {
      type: 'CreateTask',
      body: { type: 'job', deadline: '10s', retry: { maxAttempts: 2, jitter: 'none', baseDelay: '2s' } },
    })
    .send('deploy', 0, { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '1s' } } });
  told.send('deploy', 1_005, wake(1_000), 'cluster');
  told.send('deploy', 11_010, wake(11_005), 'cluster');
  told.send('deploy', 13_020, wake(13_010), 'cluster');
  return told.send('deploy', 14_000, { type: 'CompleteExecution', body: { executionId: told.execution('deploy') } });
}

const spoiled = (sequence: number, change: (event: Event) => object) => {
  const told = story();
  const events = told.events('deploy');
  const event = events[sequence - 1];
  if (event === undefined) throw new Error(`there is no event ${sequence}`);
  events[sequence - 1] = { ...event, ...change(event) };
  return told.recorded;
};

describe('the checkers of due times', () => {
  test('find nothing in a sound history', () => {
    const { recorded } = story();
    expect([...dueTimesFireOnce(recorded), ...endedInTime(recorded), ...nothingIsOverdue(recorded, BEGIN + 99_000)]).toEqual([]);
    expect(firedWithin(recorded, 10)).toEqual([]);
  });

  test('find a start before its time', () => {
    expect(dueTimesFireOnce(spoiled(3, () => ({ timestamp: new Date(BEGIN + 999).toISOString() })))).toHaveLength(1);
  });

  test('find a due time that fires twice', () => {
    expect(
      dueTimesFireOnce(spoiled(5, ({ metadata }) => ({ metadata: { ...metadata, scheduledFor: new Date(BEGIN + 1_000).toISOString() } }))),
    ).toHaveLength(1);
  });

  test('find a start that nobody has set', () => {
    expect(
      dueTimesFireOnce(spoiled(3, ({ metadata }) => ({ metadata: { ...metadata, scheduledFor: new Date(BEGIN + 500).toISOString() } }))),
    ).toHaveLength(1);
  });

  test('find a recurring run that is left out twice', () => {
    const told = new Story().send('deploy', 0, {
      type: 'CreateTask',
      body: { type: 'job', schedule: { strategy: 'cron', cron: '*/10 * * * * *' } },
    });
    told.send('deploy', 10_000, wake(10_000), 'cluster');
    told.send('deploy', 20_000, wake(20_000), 'cluster');
    expect(dueTimesFireOnce(told.recorded)).toEqual([]);
    const events = told.events('deploy');
    events.push({ ...(events[2] as Event), sequence: 4 });
    expect(dueTimesFireOnce(told.recorded)).toHaveLength(1);
  });

  test('find a deadline that ends an attempt too early', () => {
    expect(endedInTime(spoiled(4, () => ({ timestamp: new Date(BEGIN + 11_004).toISOString() })))).toHaveLength(1);
  });

  test('find an executor that is given up before a minute of silence', () => {
    const error = { code: 'heartbeat_timeout', message: '' };
    expect(endedInTime(spoiled(4, ({ metadata }) => ({ metadata: { ...metadata, error } })))).toHaveLength(1);
  });

  test('find what came late', () => {
    expect(firedWithin(story().recorded, 4)).toHaveLength(3);
  });

  test('do not call a deadline late that a patch has moved into the past', () => {
    const told = new Story()
      .send('deploy', 0, { type: 'CreateTask', body: { type: 'job' } })
      .send('deploy', 0, { type: 'TriggerTask', body: {} })
      .send('deploy', 30_000, { type: 'ChangeTask', body: { deadline: '5s' } });
    told.send('deploy', 30_010, wake(5_000), 'cluster');
    expect(firedWithin(told.recorded, 10)).toEqual([]);
  });

  test('find what is still not done', () => {
    const told = story();
    told.send('deploy', 20_000, { type: 'RescheduleTask', body: { schedule: { strategy: 'delayed', delay: '1s' } } });
    expect(nothingIsOverdue(told.recorded, BEGIN + 21_001)).toHaveLength(1);
    told.send('deploy', 21_000, wake(21_000), 'cluster');
    expect(nothingIsOverdue(told.recorded, BEGIN + 31_001)).toHaveLength(1);
    told.send('deploy', 31_000, wake(31_000), 'cluster');
    expect(nothingIsOverdue(told.recorded, BEGIN + 40_000)).toHaveLength(1);
  });
});

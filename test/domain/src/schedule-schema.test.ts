import { conditionsSchema } from '@retrigger/contract/conditions-schema.ts';
import { rescheduleExtras, scheduleSchema, scheduleSchemaWith } from '@retrigger/contract/schedule-schema.ts';
import { describe, expect, test } from 'vitest';

type Parsed = { success: boolean; error?: { issues: { path: PropertyKey[]; message: string }[] } | undefined };
const problems = (parsed: Parsed): [string, string][] => (parsed.error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]);

describe('the schedule of a request', () => {
  test.each([
    { strategy: 'immediate' },
    { strategy: 'delayed', delay: '5m' },
    { strategy: 'delayed', delay: '5m', unit: 'hours' },
    { strategy: 'delayed', delay: 5, unit: 'seconds' },
    { strategy: 'at', at: '2026-03-01T08:00:00Z' },
    { strategy: 'cron', cron: '0 9 * * MON-FRI', timeZone: 'Europe/Berlin' },
    { strategy: 'exponential_backoff', baseDelay: '1m', maxDelay: '1h', jitter: 'equal', currentRetryCount: 0 },
    { strategy: 'conditional', conditions: { dependenciesComplete: true } },
  ])('%j is taken as it is', (body) => {
    expect(scheduleSchema.parse(body)).toEqual(body);
  });

  test.each<[unknown, string, string]>([
    [{}, 'strategy', 'must be one of immediate, delayed, at, cron, exponential_backoff, conditional'],
    [{ strategy: 'later' }, 'strategy', 'must be one of immediate'],
    ['immediate', '', 'must be a schedule'],
    [null, '', 'must be a schedule'],
    [{ strategy: 'immediate', delay: '5m' }, '', 'unknown field "delay"; a schedule of immediate takes strategy'],
    [JSON.parse('{"strategy":"immediate","__proto__":{}}'), '', 'unknown field "__proto__"'],
    [{ strategy: 'delayed' }, 'delay', 'must be a duration such as'],
    [{ strategy: 'delayed', delay: 'soon' }, 'delay', 'must be a duration such as'],
    [{ strategy: 'delayed', delay: '367d' }, 'delay', 'at most 366 days'],
    [{ strategy: 'delayed', delay: -1, unit: 'days' }, 'delay', '0 or more'],
    [{ strategy: 'delayed', delay: 5 }, 'unit', 'is needed beside a number: seconds, minutes, hours, days'],
    [{ strategy: 'delayed', delay: 5, unit: 'weeks' }, 'unit', 'must be one of seconds, minutes, hours, days'],
    [{ strategy: 'at', at: 'tomorrow' }, 'at', 'must be an ISO 8601 instant'],
    [{ strategy: 'at', at: '2026-02-30T00:00:00Z' }, 'at', 'must be an ISO 8601 instant'],
    [{ strategy: 'at', at: 5 }, 'at', 'must be an ISO 8601 instant'],
    [{ strategy: 'cron', cron: '' }, 'cron', 'must be a cron expression'],
    [{ strategy: 'cron', cron: '* * * * *', timeZone: 2 }, 'timeZone', 'must be a time zone'],
    [{ strategy: 'exponential_backoff' }, 'baseDelay', 'must be a duration'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', jitter: 'some' }, 'jitter', 'must be one of none, full, equal'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: -1 }, 'currentRetryCount', '0 or more'],
    [{ strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: 1.5 }, 'currentRetryCount', 'whole number'],
    [{ strategy: 'conditional' }, 'conditions', 'must be conditions with dependenciesComplete, dependenciesCompleted, outcome'],
    [{ strategy: 'conditional', conditions: {} }, 'conditions', 'at least one of'],
    [{ strategy: 'conditional', conditions: { outcome: { taskId: '' } } }, 'conditions.outcome.taskId', 'must be a task id'],
  ])('%j is refused, naming the field and what would be right', (body, path, message) => {
    expect(problems(scheduleSchema.safeParse(body))).toContainEqual([path, expect.stringContaining(message)]);
  });

  test('takes further fields beside its own, and says so', () => {
    const reschedule = scheduleSchemaWith(rescheduleExtras);
    expect(reschedule.parse({ strategy: 'immediate', force: true, cascade: false, reason: 'again' })).toMatchObject({ force: true });
    expect(problems(reschedule.safeParse({ strategy: 'immediate', force: 'yes' }))).toEqual([['force', 'must be true or false']]);
    expect(problems(reschedule.safeParse({ strategy: 'immediate', now: 1 }))).toEqual([
      ['', 'unknown field "now"; a schedule of immediate takes strategy, force, cascade, reason'],
    ]);
  });
});

describe('the conditions of a request', () => {
  test.each([
    { dependenciesComplete: true },
    { dependenciesComplete: ['a', 'b'] },
    { dependenciesCompleted: { min: 2 } },
    { dependenciesCompleted: ['a'], outcome: { taskId: 'b', status: 'Failed' } },
    { outcome: { taskId: 'b', status: 'Completed', result: { path: '/a~1b/0', equals: null } } },
  ])('%j are taken as they are', (body) => {
    expect(conditionsSchema.parse(body)).toEqual(body);
  });

  test.each<[unknown, string, string]>([
    [{}, '', 'must hold at least one of'],
    [[], '', 'must be conditions'],
    [{ after: 'a' }, '', 'unknown field "after"; conditions takes'],
    [{ dependenciesComplete: false }, 'dependenciesComplete', 'must be true or a list'],
    [{ dependenciesComplete: [] }, 'dependenciesComplete', 'must be a list of 1 to 1,000 different task ids'],
    [{ dependenciesComplete: ['a', 'a'] }, 'dependenciesComplete', 'different task ids'],
    [{ dependenciesComplete: ['a/b'] }, 'dependenciesComplete.0', 'must be a task id: 1 to 128 of'],
    [{ dependenciesCompleted: 2 }, 'dependenciesCompleted', 'must be {"min": n} with n of 1 or more'],
    [{ dependenciesCompleted: { min: 0 } }, 'dependenciesCompleted.min', 'must be a whole number, 1 or more'],
    [{ dependenciesCompleted: { min: -1 } }, 'dependenciesCompleted.min', '1 or more'],
    [{ dependenciesCompleted: { min: 1, max: 2 } }, 'dependenciesCompleted', 'unknown field "max"; dependenciesCompleted takes min'],
    [{ outcome: { taskId: 'a', status: 'Running' } }, 'outcome.status', 'must be "Completed" or "Failed"'],
    [{ outcome: { taskId: 'bulk', status: 'Failed' } }, 'outcome.taskId', 'bulk is none'],
    [{ outcome: { taskId: 'a', status: 'Completed', result: { path: 'x', equals: 1 } } }, 'outcome.result.path', 'must be a JSON Pointer'],
    [{ outcome: { taskId: 'a', status: 'Completed', result: { path: '' } } }, 'outcome.result.equals', 'must be the JSON value'],
    [
      { outcome: { taskId: 'a', status: 'Failed', result: { path: '', equals: 1 } } },
      'outcome.result',
      'only goes with status "Completed"',
    ],
  ])('%j are refused, naming the field and what would be right', (body, path, message) => {
    expect(problems(conditionsSchema.safeParse(body))).toContainEqual([path, expect.stringContaining(message)]);
  });
});

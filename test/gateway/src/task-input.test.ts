import { beforeEach, describe, expect, test } from 'vitest';
import { type Door, startDoor, tokenOf } from './door.ts';

const TASKS = 'POST /api/v1/tasks';
const PATCH = 'PATCH /api/v1/tasks/t';
const TRIGGER = 'POST /api/v1/tasks/t/trigger';
const RESCHEDULE = 'PUT /api/v1/tasks/t/reschedule';

const create = (more: object) => ({ type: 'job', taskId: 'new', ...more });
const cron = (text: string, more: object = {}) => ({ strategy: 'cron', cron: text, ...more });
const conditional = (conditions: object) => ({ strategy: 'conditional', conditions });
const outcome = (taskId: string) => ({ outcome: { taskId, status: 'Completed' } });

/** The call, its body, the field that is wrong, and a part of what it is told. The door’s clock stands at 2026-03-04T05:06:07.008Z. */
const TABLE: [string, object, string, string][] = [
  [RESCHEDULE, {}, 'strategy', 'must be one of immediate, delayed'],
  [RESCHEDULE, { strategy: 'later' }, 'strategy', 'must be one of'],
  [RESCHEDULE, { strategy: 'delayed', delay: 'soon' }, 'delay', 'must be a duration such as'],
  [RESCHEDULE, { strategy: 'delayed', delay: '-5m' }, 'delay', 'must be a duration such as'],
  [RESCHEDULE, { strategy: 'delayed', delay: -5, unit: 'minutes' }, 'delay', '0 or more'],
  [RESCHEDULE, { strategy: 'delayed', delay: 5 }, 'unit', 'seconds, minutes, hours, days'],
  [RESCHEDULE, { strategy: 'delayed', delay: 367, unit: 'days' }, 'delay', '366 days'],
  [RESCHEDULE, { strategy: 'delayed', delay: '367d' }, 'delay', '366 days'],
  [RESCHEDULE, { strategy: 'at', at: '2026-03-04T05:06:07.007Z' }, 'at', 'is in the past; now it is 2026-03-04T05:06:07.008Z'],
  [RESCHEDULE, { strategy: 'at', at: '2027-03-06T00:00:00Z' }, 'at', '366 days'],
  [RESCHEDULE, { strategy: 'at', at: '2026-02-30T00:00:00Z' }, 'at', 'must be an ISO 8601 instant'],
  [RESCHEDULE, { strategy: 'at', at: '2026-06-01T00:00:00' }, 'at', 'with a zone'],
  [RESCHEDULE, cron('every day'), 'cron', 'is no cron expression'],
  [RESCHEDULE, cron('61 * * * *'), 'cron', 'is no cron expression'],
  [RESCHEDULE, cron('0 0 30 2 *'), 'cron', 'never fires'],
  [RESCHEDULE, cron('0 0 29 2 *'), 'cron', '366 days'],
  [RESCHEDULE, cron('0 9 * * *', { timeZone: 'Mars/Olympus' }), 'timeZone', 'unknown time zone "Mars/Olympus"'],
  [RESCHEDULE, { strategy: 'exponential_backoff' }, 'baseDelay', 'must be a duration'],
  [RESCHEDULE, { strategy: 'exponential_backoff', baseDelay: '1m', currentRetryCount: -1 }, 'currentRetryCount', '0 or more'],
  [RESCHEDULE, { strategy: 'exponential_backoff', baseDelay: '1m', jitter: 'some' }, 'jitter', 'none, full, equal'],
  [RESCHEDULE, { strategy: 'immediate', force: 'yes' }, 'force', 'must be true or false'],
  [RESCHEDULE, { strategy: 'immediate', delay: '5m' }, 'delay', 'a schedule of immediate takes strategy, context'],
  [RESCHEDULE, { strategy: 'immediate', context: [] }, 'context', 'must be an object'],
  [RESCHEDULE, conditional({}), 'conditions', 'at least one of'],
  [RESCHEDULE, conditional({ dependenciesComplete: false }), 'conditions.dependenciesComplete', 'must be true or a list'],
  [RESCHEDULE, conditional({ dependenciesCompleted: { min: -1 } }), 'conditions.dependenciesCompleted.min', 'whole number, 1 or more'],
  [RESCHEDULE, conditional({ dependenciesComplete: ['other', 'nowhere'] }), 'conditions.dependenciesComplete[1]', 'does not exist'],
  [RESCHEDULE, conditional({ dependenciesCompleted: ['theirs'] }), 'conditions.dependenciesCompleted[0]', 'does not exist'],
  [RESCHEDULE, conditional(outcome('nowhere')), 'conditions.outcome.taskId', 'does not exist'],
  [TRIGGER, { conditions: outcome('nowhere') }, 'conditions.outcome.taskId', 'does not exist'],
  [TRIGGER, { conditions: { outcome: { taskId: 'other', status: 'Running' } } }, 'conditions.outcome.status', '"Completed" or "Failed"'],
  [
    TRIGGER,
    { conditions: { outcome: { taskId: 'other', status: 'Completed', result: { path: 'a', equals: 1 } } } },
    'conditions.outcome.result.path',
    'JSON Pointer',
  ],
  [TRIGGER, { conditions: { all: true } }, 'conditions.all', 'dependenciesComplete, dependenciesCompleted, outcome'],
  [TASKS, create({ schedule: { strategy: 'at', at: '2020-01-01T00:00:00Z' } }), 'schedule.at', 'is in the past'],
  [TASKS, create({ schedule: cron('* * * * *', { timeZone: 'X' }) }), 'schedule.timeZone', 'unknown time zone'],
  [TASKS, create({ schedule: conditional(outcome('nowhere')) }), 'schedule.conditions.outcome.taskId', 'does not exist'],
  [TASKS, create({ schedule: 'immediate' }), 'schedule', 'must be a schedule'],
  [TASKS, create({ onMissed: 'ignore' }), 'onMissed', '"fire" or "skip"'],
  [TASKS, create({ retry: { maxAttempts: -1 } }), 'retry.maxAttempts', '1'],
  [TASKS, { taskId: 'new' }, 'type', 'is needed: a string'],
  [TASKS, create({ critical: 'yes' }), 'critical', 'must be true or false'],
  [TASKS, create({ dependencies: 'other' }), 'dependencies', 'must be a list'],
  [TASKS, create({ retry: { maxAttempts: 1.5 } }), 'retry.maxAttempts', 'must be a whole number'],
  [TASKS, create({ retry: { maxAttempts: 1_001 } }), 'retry.maxAttempts', 'must be at most 1000'],
  [TASKS, create({ retry: { jitter: 'some' } }), 'retry.jitter', 'must be one of none, full, equal'],
  [TASKS, create({ retry: { baseDelay: '367d' } }), 'retry.baseDelay', 'from 0s to 366d'],
  [TASKS, create({ taskId: '..' }), 'taskId', 'is no task id; any but bulk, ~tenant, . and .. will do'],
  [TRIGGER, { triggerReason: 'x'.repeat(4_097) }, 'triggerReason', 'must have at most 4096 characters'],
  [TRIGGER, { triggerReason: '🚀'.repeat(4_097) }, 'triggerReason', 'must have at most 4096 characters'],
  [RESCHEDULE, { strategy: 'immediate', reason: '🚀'.repeat(1_025) }, 'reason', 'at most 1,024 characters'],
  ['POST /api/v1/executions/t.0123456789012345678901/failed', {}, 'error', 'is needed: a string'],
  ['POST /api/v1/erasures', {}, '', 'must hold either userId or taskId'],
  ['POST /api/v1/erasures', { userId: 'ann', taskId: 't' }, '', 'must hold either userId or taskId'],
  ['POST /api/v1/dead-letters/d/drop', { reason: '' }, 'reason', 'must not be empty'],
  [PATCH, { dependencies: ['other', 'nowhere'] }, 'dependencies[1]', 'does not exist'],
  [PATCH, { target: { url: 'http://10.0.0.1/' } }, 'target.url', ''],
  [PATCH, { deadline: 'never' }, 'deadline', 'must be a duration'],
  [PATCH, { type: 'another' }, 'type', 'is not a known field'],
  [PATCH, { sensitive: true }, 'sensitive', 'is not a known field'],
];

/** Requests that name their own task. */
const CYCLES_OF_ONE: [string, string, object, string][] = [
  ['new', TASKS, create({ dependencies: ['other', 'new'] }), 'dependencies[1]'],
  ['new', TASKS, create({ schedule: conditional(outcome('new')) }), 'schedule.conditions.outcome.taskId'],
  ['t', PATCH, { dependencies: ['t'] }, 'dependencies[0]'],
  ['t', TRIGGER, { conditions: { dependenciesComplete: ['t'] } }, 'conditions.dependenciesComplete[0]'],
  ['t', RESCHEDULE, conditional({ dependenciesCompleted: ['t'] }), 'conditions.dependenciesCompleted[0]'],
];

describe('what a task’s calls are given', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
    for (const taskId of ['t', 'other']) door.seed('default', taskId, ['TaskCreated']);
    door.seed('other', 'theirs', ['TaskCreated']);
  });

  const ask = (call: string, body: object, query = '', headers: { [name: string]: string } = {}) => {
    const [method = '', path = ''] = call.split(' ');
    return door.ask(`${path}${query}`, { method, body, headers });
  };

  test.each(TABLE)('%s %j is a 400 that names %s and says what would be right; nothing is written', async (call, body, path, message) => {
    const { status, json } = await ask(call, body);
    expect([status, json.code]).toEqual([400, 'invalid_request']);
    expect(json.errors).toContainEqual({ path, message: expect.stringContaining(message) });
    expect(door.commands).toEqual([]);
  });

  test('a character is one, however many units of UTF-16 or bytes it takes', async () => {
    expect((await ask(TRIGGER, { triggerReason: '🚀'.repeat(4_096) })).status).toBe(202);
    expect((await ask(RESCHEDULE, { strategy: 'immediate', reason: '🚀'.repeat(1_024) })).status).toBe(200);
  });

  test.each(CYCLES_OF_ONE)('%s can’t wait for itself: %s %j is a cycle of one (V1)', async (taskId, call, body, path) => {
    const { status, json } = await ask(call, body);
    expect([status, json.code, json.title, json.cycle]).toEqual([
      400,
      'circular_dependency',
      'Circular dependency detected',
      [taskId, taskId],
    ]);
    expect(json.errors).toEqual([{ path, message: 'names the task itself' }]);
    expect(door.commands).toEqual([]);
  });

  test('everything that is wrong is named at once (V2)', async () => {
    const { json } = await ask(TASKS, create({ dependencies: ['a', 'b'], schedule: cron('x'), target: { url: 'http://127.0.0.1/' } }));
    expect(json.errors.map(({ path }: { path: string }) => path)).toEqual([
      'target.url',
      'schedule.cron',
      'dependencies[0]',
      'dependencies[1]',
    ]);
  });

  test('a dry run of what is wrong keeps its 400', async () => {
    const { status, json } = await ask(RESCHEDULE, { strategy: 'at', at: '2020-01-01T00:00:00Z' }, '?dryRun=true');
    expect([status, json.errors[0].path]).toEqual([400, 'at']);
    expect((await ask(TRIGGER, {}, '?dryRun=maybe')).json.errors[0].path).toBe('dryRun');
    expect((await ask(PATCH, {}, '?dryRun=true')).status).toBe(400);
  });

  test('a schedule whose time has come since is no reason to refuse the repeat of what was accepted', async () => {
    const [body, key] = [{ strategy: 'at', at: '2026-03-04T05:06:08.000Z' }, { 'idempotency-key': 'k' }];
    const first = await ask(RESCHEDULE, body, '', key);
    expect(first.status).toBe(200);
    door.clock.advance(10_000);
    const again = await ask(RESCHEDULE, body, '', key);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([200, first.text, 'true']);
    expect((await ask(RESCHEDULE, body)).status).toBe(400);
  });

  test('a reschedule is charged when it is to now, and only then', async () => {
    const limits = { userPerHour: 100, taskPerHour: 0, systemPerMinute: 0, tenantPerMinute: 0 };
    door = startDoor({ config: { limits } });
    door.seed('default', 't', ['TaskCreated']);
    const costs: [object, number][] = [
      [{ strategy: 'immediate' }, 1],
      [{ strategy: 'delayed', delay: '0s' }, 1],
      [{ strategy: 'at', at: '2026-03-04T05:06:07.008Z' }, 1],
      [{ strategy: 'exponential_backoff', baseDelay: '0s', jitter: 'full' }, 1],
      [{ strategy: 'delayed', delay: '1ms' }, 0],
      [cron('* * * * *'), 0],
      [{ strategy: 'exponential_backoff', baseDelay: '1m', jitter: 'full' }, 0],
      [conditional({ dependenciesComplete: true }), 0],
    ];
    for (const [body, cost] of costs) {
      const before = door.limiter.used.get(`user:default/${tokenOf('admin')}`) ?? 0;
      expect((await ask(RESCHEDULE, body)).status).toBe(200);
      expect([body, (door.limiter.used.get(`user:default/${tokenOf('admin')}`) ?? 0) - before]).toEqual([body, cost]);
    }
  });

  test('a reschedule and a patch are handed in with everything they said', async () => {
    const extras = { context: { a: 1 }, force: true, cascade: true, reason: 'again' };
    await ask(RESCHEDULE, { strategy: 'delayed', delay: 5, unit: 'minutes', ...extras });
    await ask(PATCH, { deadline: null, target: null, dependencies: ['other'], onMissed: 'skip', retry: { maxAttempts: 3 } });
    expect(door.commands.map(({ type, taskId, body }) => ({ type, taskId, body }))).toEqual([
      { type: 'RescheduleTask', taskId: 't', body: { schedule: { strategy: 'delayed', delay: 5, unit: 'minutes' }, ...extras } },
      {
        type: 'ChangeTask',
        taskId: 't',
        body: { deadline: null, target: null, dependencies: ['other'], onMissed: 'skip', retry: { maxAttempts: 3 } },
      },
    ]);
  });
});

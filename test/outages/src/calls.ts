import type { Event } from '@retrigger/domain/event.ts';
import type { Asked, Caller } from './asking.ts';
import type { Operation } from './operations.ts';
import type { Things } from './things.ts';

/** How to ask for an operation so that it succeeds with `usual`. `done` counts how often what it asks for was done; without it there is nothing to count. */
export type Call = Asked & { operation: Operation; usual: number; done?(): Promise<number> };

type Listed = { [list: string]: { [field: string]: unknown }[] };

/** A call of every operation, each on things of its own. */
export function callsOf(round: string, caller: Caller, things: Things): Call[] {
  const { ids, executions, letters } = things;
  const events = async (taskId: string): Promise<Event[]> =>
    (await caller.ask({ method: 'GET', path: `/api/v1/tasks/${taskId}` })).status === 404
      ? []
      : (await caller.data<{ events: Event[] }>('GET', `/api/v1/tasks/${taskId}/events?pageSize=1000`)).events;
  const written = (taskId: string, type: string) => async () => (await events(taskId)).filter(({ eventType }) => eventType === type).length;
  const listed = async (path: string, list: string, is: (one: { [field: string]: unknown }) => boolean) =>
    ((await caller.data<Listed>('GET', path))[list] ?? []).filter(is).length;
  const gone = (path: string, list: string, id: string) => async () => 1 - (await listed(path, list, (one) => one.id === id));

  const read = (operation: Operation, path: string, more: Partial<Call> = {}): Call => ({
    ...{ operation, method: 'GET', path, usual: 200 },
    ...more,
  });
  const change = (operation: Operation, path: string, body: unknown, usual: number, done?: Call['done']): Call => ({
    ...{ operation, method: operation.split(' ', 1)[0] ?? '', path, body, usual, key: `${round} ${operation}` },
    ...(done === undefined ? {} : { done }),
  });
  const onTask = (operation: Operation, taskId: string, path: string, body: unknown, usual: number, type: string): Call =>
    change(operation, `/api/v1/tasks/${taskId}${path}`, body, usual, written(taskId, type));
  const report = (name: 'started' | 'heartbeat' | 'completed' | 'failed', body: unknown, type?: string): Call => {
    const done = type === undefined ? undefined : written(things.id(name), type);
    return change(`POST /api/v1/executions/{executionId}/${name}`, `/api/v1/executions/${executions[name]}/${name}`, body, 200, done);
  };
  const bulk = (operation: Operation, path: string, tasks: string[], more: object, type: string): Call =>
    change(operation, path, { tasks: tasks.map((taskId) => ({ taskId })), ...more }, 200, async () => {
      const counts = await Promise.all(tasks.map((taskId) => written(taskId, type)()));
      return counts.reduce((sum, count) => sum + count, 0) / tasks.length;
    });
  const seen = `/api/v1/tasks/${ids.seen}`;
  const newTask = things.id('new');
  const hook = `${things.hookUrl}/${round}`;
  const later = { strategy: 'delayed', delay: '2h' };
  return [
    change('POST /api/v1/tasks', '/api/v1/tasks', { taskId: newTask, type: 'job' }, 201, written(newTask, 'TaskCreated')),
    read('GET /api/v1/tasks', '/api/v1/tasks?pageSize=5'),
    read('GET /api/v1/tasks/{taskId}', seen),
    onTask('PATCH /api/v1/tasks/{taskId}', ids.patch, '', { critical: true }, 200, 'TaskChanged'),
    onTask('POST /api/v1/tasks/{taskId}/trigger', ids.trigger, '/trigger', {}, 202, 'TaskTriggered'),
    { ...read('POST /api/v1/tasks/{taskId}/trigger dryRun', `${seen}/trigger?dryRun=true`), method: 'POST' },
    onTask('PUT /api/v1/tasks/{taskId}/reschedule', ids.reschedule, '/reschedule', later, 200, 'TaskRescheduled'),
    onTask('PUT /api/v1/tasks/{taskId}/reschedule immediate', ids.now, '/reschedule', { strategy: 'immediate' }, 200, 'TaskRescheduled'),
    onTask('POST /api/v1/tasks/{taskId}/cancel', ids.cancel, '/cancel', {}, 200, 'TaskCancelled'),
    read('GET /api/v1/tasks/{taskId}/events', `${seen}/events`),
    read('GET /api/v1/tasks/{taskId}/events export', `${seen}/events?format=jsonl`),
    read('GET /api/v1/tasks/{taskId}/events/{eventId}', `${seen}/events/${things.eventId}`),
    read('GET /api/v1/tasks/{taskId}/events/verify', `${seen}/events/verify`),
    read('GET /api/v1/tasks/{taskId}/diff', `${seen}/diff?from=2026-01-01T00:00:00.000Z&to=2036-01-01T00:00:00.000Z`),
    read('GET /api/v1/events', '/api/v1/events?pageSize=5'),
    read('GET /api/v1/events/stream', '/api/v1/events/stream', { isStream: true }),
    bulk('POST /api/v1/tasks/bulk/trigger', '/api/v1/tasks/bulk/trigger', [ids.bulk1, ids.bulk2], {}, 'TaskTriggered'),
    bulk(
      'PUT /api/v1/tasks/bulk/reschedule',
      '/api/v1/tasks/bulk/reschedule',
      [ids.bulk3, ids.bulk4],
      { schedule: later },
      'TaskRescheduled',
    ),
    read('GET /api/v1/commands/{commandId}', `/api/v1/commands/${things.commandId}`),
    change(
      'POST /api/v1/executions/claim',
      '/api/v1/executions/claim',
      { types: [things.id('claim')] },
      200,
      written(ids.claim, 'TaskStarted'),
    ),
    report('started', {}, 'TaskStarted'),
    report('heartbeat', {}),
    report('completed', {}, 'TaskCompleted'),
    report('failed', { error: 'no luck' }, 'TaskFailed'),
    change('POST /api/v1/api-keys', '/api/v1/api-keys', { userId: things.id('user'), roles: ['viewer'] }, 201, () =>
      listed('/api/v1/api-keys?pageSize=1000', 'apiKeys', ({ userId }) => userId === things.id('user')),
    ),
    read('GET /api/v1/api-keys', '/api/v1/api-keys'),
    change(
      'DELETE /api/v1/api-keys/{id}',
      `/api/v1/api-keys/${things.keyId}`,
      undefined,
      204,
      gone('/api/v1/api-keys?pageSize=1000', 'apiKeys', things.keyId),
    ),
    read('GET /api/v1/tenant/settings', '/api/v1/tenant/settings'),
    change('PUT /api/v1/tenant/settings', '/api/v1/tenant/settings', { limits: { userPerHour: things.limit } }, 200, async () =>
      (await caller.data<{ limits: { userPerHour: number } }>('GET', '/api/v1/tenant/settings')).limits.userPerHour === things.limit
        ? 1
        : 0,
    ),
    change('POST /api/v1/erasures', '/api/v1/erasures', { taskId: ids.sensitive }, 202, written(ids.sensitive, 'DataErased')),
    change('POST /api/v1/subscriptions', '/api/v1/subscriptions', { channel: 'webhook', url: hook, tasks: [ids.seen] }, 201, () =>
      listed('/api/v1/subscriptions', 'subscriptions', ({ url }) => url === hook),
    ),
    read('GET /api/v1/subscriptions', '/api/v1/subscriptions'),
    change(
      'DELETE /api/v1/subscriptions/{id}',
      `/api/v1/subscriptions/${things.subscriptions.ended}`,
      undefined,
      204,
      gone('/api/v1/subscriptions', 'subscriptions', things.subscriptions.ended),
    ),
    change('POST /api/v1/subscriptions/{id}/test', `/api/v1/subscriptions/${things.subscriptions.tested}/test`, {}, 202),
    read('GET /api/v1/dead-letters', '/api/v1/dead-letters'),
    ...(['redrive', 'drop'] as const).map((action) =>
      change(
        `POST /api/v1/dead-letters/{id}/${action}`,
        `/api/v1/dead-letters/${letters[action]}/${action}`,
        action === 'drop' ? { reason: 'an outage' } : {},
        action === 'drop' ? 200 : 202,
        () => listed('/api/v1/dead-letters?state=closed&pageSize=1000', 'deadLetters', ({ id }) => id === letters[action]),
      ),
    ),
    read('GET /healthz', '/healthz'),
    read('GET /readyz', '/readyz'),
    read('GET /metrics', '/metrics'),
    read('GET /openapi.json', '/openapi.json'),
    read('GET /docs', '/docs'),
    read('GET /docs/{file}', '/docs/swagger-ui.css'),
  ];
}

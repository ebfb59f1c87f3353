import type { Permission } from '@retrigger/domain/permissions.ts';

/** `any`: whoever has credentials. `open`: needs none. */
export type Needs = Permission | 'any' | 'open';

/** A call of the HTTP contract: the statuses that it names for it, what it needs, and a body that is valid. */
export type ContractCall = { statuses: number[]; needs: Needs; body?: object };

const call = (needs: Needs, statuses: number[], body?: object): ContractCall => ({
  needs,
  statuses,
  ...(body === undefined ? {} : { body }),
});

const URL = 'https://hook.invalid/';

/** Every row of the contract's table of calls, by method and path, and the two that it names in passing. */
export const CONTRACT: { [call: string]: ContractCall } = {
  'GET /healthz': call('open', [200]),
  'GET /readyz': call('open', [200, 503]),
  'GET /metrics': call('open', [200]),
  'GET /openapi.json': call('open', [200]),
  'GET /docs': call('open', [200]),
  'GET /docs/{file}': call('open', [200, 404]),
  'POST /api/v1/api-keys': call('tenant:administer', [201, 400, 401, 403], { userId: 'u', roles: ['viewer'] }),
  'GET /api/v1/api-keys': call('tenant:administer', [200, 401, 403]),
  'DELETE /api/v1/api-keys/{id}': call('tenant:administer', [204, 401, 403, 404]),
  'POST /api/v1/tasks': call('task:create', [201, 202, 400, 401, 403, 409, 422], { type: 'job' }),
  'GET /api/v1/tasks': call('task:read', [200, 400, 401, 403]),
  'GET /api/v1/tasks/{taskId}': call('task:read', [200, 400, 401, 403, 404]),
  'PATCH /api/v1/tasks/{taskId}': call('task:create', [200, 202, 400, 401, 403, 404], {}),
  'POST /api/v1/tasks/{taskId}/trigger': call('task:trigger', [200, 202, 400, 401, 403, 404, 409, 422, 429, 503], {}),
  'PUT /api/v1/tasks/{taskId}/reschedule': call('task:reschedule', [200, 202, 400, 401, 403, 404, 409, 422, 429, 503], {
    strategy: 'delayed',
    delay: '5m',
  }),
  'POST /api/v1/tasks/{taskId}/cancel': call('task:cancel', [200, 202, 400, 401, 403, 404, 409, 422, 503], {}),
  'GET /api/v1/tasks/{taskId}/events': call('task:read-events', [200, 400, 401, 403, 404]),
  'GET /api/v1/tasks/{taskId}/events/{eventId}': call('task:read-events', [200, 401, 403, 404]),
  'GET /api/v1/tasks/{taskId}/events/verify': call('task:read-events', [200, 401, 403, 404]),
  'GET /api/v1/tasks/{taskId}/diff': call('task:read-events', [200, 400, 401, 403, 404]),
  'GET /api/v1/events': call('task:read-events', [200, 400, 401, 403]),
  'GET /api/v1/events/stream': call('task:read-events', [200, 400, 401, 403]),
  'POST /api/v1/tasks/bulk/trigger': call('task:trigger', [200, 202, 400, 401, 403, 409, 422, 429, 503], { tasks: [{ taskId: 't' }] }),
  'PUT /api/v1/tasks/bulk/reschedule': call('task:reschedule', [200, 202, 400, 401, 403, 409, 422, 429, 503], {
    tasks: [{ taskId: 't' }],
    schedule: { strategy: 'delayed', delay: '5m' },
  }),
  'GET /api/v1/commands/{commandId}': call('any', [200, 401, 404]),
  'POST /api/v1/executions/claim': call('execution:claim', [200, 204, 400, 401, 403], { types: ['job'] }),
  'POST /api/v1/executions/{executionId}/started': call('execution:report', [200, 202, 401, 403, 404, 409], {}),
  'POST /api/v1/executions/{executionId}/heartbeat': call('execution:report', [200, 202, 401, 403, 404, 409], {}),
  'POST /api/v1/executions/{executionId}/completed': call('execution:report', [200, 202, 401, 403, 404, 409, 413], {}),
  'POST /api/v1/executions/{executionId}/failed': call('execution:report', [200, 202, 400, 401, 403, 404, 409], { error: 'no' }),
  'POST /api/v1/subscriptions': call('subscription:manage', [201, 400, 401, 403, 422], { channel: 'webhook', url: URL }),
  'GET /api/v1/subscriptions': call('subscription:manage', [200, 401, 403]),
  'DELETE /api/v1/subscriptions/{id}': call('subscription:manage', [204, 401, 403, 404]),
  'POST /api/v1/subscriptions/{id}/test': call('subscription:manage', [202, 401, 403, 404], {}),
  'GET /api/v1/dead-letters': call('tenant:administer', [200, 400, 401, 403]),
  'POST /api/v1/dead-letters/{id}/redrive': call('tenant:administer', [202, 401, 403, 404], {}),
  'POST /api/v1/dead-letters/{id}/drop': call('tenant:administer', [200, 400, 401, 403, 404], { reason: 'known' }),
  'POST /api/v1/erasures': call('tenant:administer', [202, 400, 401, 403, 404, 422], { userId: 'u' }),
  'GET /api/v1/tenant/settings': call('tenant:administer', [200, 401, 403]),
  'PUT /api/v1/tenant/settings': call('tenant:administer', [200, 400, 401, 403, 422], {}),
};

/** Ids of the right shape, which need not exist. */
const IN_PATHS: { [name: string]: string } = { executionId: 't.abcdefghijklmnopqrstuv', file: 'start.js' };

/** A path of the contract with its parameters filled in; `ids` for all that have no shape of their own. */
export const pathOf = (contractCall: string, id = 't'): string =>
  (contractCall.split(' ')[1] ?? '').replaceAll(/\{(\w+)\}/g, (_, name: string) => IN_PATHS[name] ?? id);

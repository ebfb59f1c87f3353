import type { Kind } from './stated.ts';

/**
 * Every operation of the OpenAPI document, by method and path, with what it needs. A word behind the path is a case of an operation that needs something else
 * than the rest of it.
 */
export const OPERATIONS = {
  'POST /api/v1/tasks': 'command',
  'GET /api/v1/tasks': 'read',
  'GET /api/v1/tasks/{taskId}': 'read',
  'PATCH /api/v1/tasks/{taskId}': 'command',
  'POST /api/v1/tasks/{taskId}/trigger': 'charged',
  'POST /api/v1/tasks/{taskId}/trigger dryRun': 'read',
  'PUT /api/v1/tasks/{taskId}/reschedule': 'command',
  'PUT /api/v1/tasks/{taskId}/reschedule immediate': 'charged',
  'POST /api/v1/tasks/{taskId}/cancel': 'command',
  'GET /api/v1/tasks/{taskId}/events': 'read',
  'GET /api/v1/tasks/{taskId}/events export': 'read',
  'GET /api/v1/tasks/{taskId}/events/{eventId}': 'read',
  'GET /api/v1/tasks/{taskId}/events/verify': 'read',
  'GET /api/v1/tasks/{taskId}/diff': 'read',
  'GET /api/v1/events': 'read',
  'GET /api/v1/events/stream': 'read',
  'POST /api/v1/tasks/bulk/trigger': 'charged',
  'PUT /api/v1/tasks/bulk/reschedule': 'command',
  'GET /api/v1/commands/{commandId}': 'read',
  'POST /api/v1/executions/claim': 'command',
  'POST /api/v1/executions/{executionId}/started': 'command',
  'POST /api/v1/executions/{executionId}/heartbeat': 'command',
  'POST /api/v1/executions/{executionId}/completed': 'command',
  'POST /api/v1/executions/{executionId}/failed': 'command',
  'POST /api/v1/api-keys': 'direct',
  'GET /api/v1/api-keys': 'read',
  'DELETE /api/v1/api-keys/{id}': 'direct',
  'GET /api/v1/tenant/settings': 'read',
  'PUT /api/v1/tenant/settings': 'direct',
  'POST /api/v1/erasures': 'command',
  'POST /api/v1/subscriptions': 'direct',
  'GET /api/v1/subscriptions': 'read',
  'DELETE /api/v1/subscriptions/{id}': 'direct',
  'POST /api/v1/subscriptions/{id}/test': 'direct',
  'GET /api/v1/dead-letters': 'read',
  'POST /api/v1/dead-letters/{id}/redrive': 'redrive',
  'POST /api/v1/dead-letters/{id}/drop': 'direct',
  'GET /healthz': 'service',
  'GET /readyz': 'readiness',
  'GET /metrics': 'service',
  'GET /openapi.json': 'service',
  'GET /docs': 'service',
  'GET /docs/{file}': 'service',
} as const satisfies { [operation: string]: Kind };

/** The other door: commands that others publish. */
export const PUBLISHED = {
  'retrigger.commands': 'published',
  'retrigger.commands TriggerTask': 'publishedCharged',
} as const satisfies { [operation: string]: Kind };

export type Operation = keyof typeof OPERATIONS;

/** The operation of the document that a row is about. */
export const withoutCase = (operation: string): string => operation.split(' ').slice(0, 2).join(' ');

import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { CONTRACT } from './contract-calls.ts';
import { startDoor } from './door.ts';
import { OPENAPI_FILE, openapiText } from './openapi-file.ts';

type Operation = {
  summary: string;
  security: object[];
  parameters?: { name: string; in: string; required: boolean }[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  responses: { [status: string]: { content?: object; headers?: object } };
};
type Variant = { properties: { strategy: { enum: string[] } }; required: string[] };
type Document = {
  openapi: string;
  paths: { [path: string]: { [method: string]: Operation } };
  components: {
    schemas: { [name: string]: { properties: object; required?: string[]; additionalProperties?: boolean; oneOf?: Variant[] } };
  };
};

/** What the HTTP contract promises: each call with the status of its success, its body and its query parameters. */
const CALLS: [string, number, string | null, string[]][] = [
  ['get /healthz', 200, null, []],
  ['get /readyz', 200, null, []],
  ['get /metrics', 200, null, []],
  ['get /openapi.json', 200, null, []],
  ['get /docs', 200, null, []],
  ['post /api/v1/tasks', 201, 'CreateTask', []],
  ['get /api/v1/tasks', 200, null, ['status', 'type', 'owner', 'critical', 'cursor', 'pageSize']],
  ['get /api/v1/tasks/{taskId}', 200, null, ['at']],
  ['patch /api/v1/tasks/{taskId}', 200, 'ChangeTask', []],
  ['post /api/v1/tasks/{taskId}/trigger', 202, 'TriggerTask', ['dryRun']],
  ['put /api/v1/tasks/{taskId}/reschedule', 200, 'RescheduleTask', ['dryRun']],
  ['post /api/v1/tasks/{taskId}/cancel', 200, 'CancelTask', ['dryRun']],
  ['get /api/v1/tasks/{taskId}/events', 200, null, ['types', 'from', 'to', 'actor', 'order', 'cursor', 'pageSize', 'format']],
  ['get /api/v1/tasks/{taskId}/events/verify', 200, null, []],
  ['get /api/v1/tasks/{taskId}/diff', 200, null, ['from', 'to']],
  ['get /api/v1/commands/{commandId}', 200, null, ['accepted']],
  ['post /api/v1/executions/claim', 200, 'ClaimExecutions', []],
  ['post /api/v1/executions/{executionId}/started', 200, 'EmptyReport', []],
  ['post /api/v1/executions/{executionId}/heartbeat', 200, 'EmptyReport', []],
  ['post /api/v1/executions/{executionId}/completed', 200, 'CompletedReport', []],
  ['post /api/v1/executions/{executionId}/failed', 200, 'FailedReport', []],
  ['post /api/v1/subscriptions', 201, 'CreateSubscription', []],
  ['get /api/v1/subscriptions', 200, null, []],
  ['delete /api/v1/subscriptions/{id}', 204, null, []],
  ['post /api/v1/subscriptions/{id}/test', 202, 'NoBody', []],
  ['get /api/v1/dead-letters', 200, null, ['state', 'cursor', 'pageSize']],
  ['post /api/v1/dead-letters/{id}/redrive', 202, 'NoBody', []],
  ['post /api/v1/dead-letters/{id}/drop', 200, 'DropDeadLetter', []],
];

describe('the OpenAPI document', async () => {
  const door = startDoor();
  const { status, json } = await door.ask('/openapi.json', { as: null });
  const document = json as Document;
  const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));

  test('is served without credentials, as OpenAPI 3.1', () => {
    expect([status, document.openapi]).toEqual([200, '3.1.0']);
  });

  test('describes every call that is served, and no other (U1)', () => {
    const served = door.app.routes.map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described.toSorted()).toEqual(served.toSorted());
  });

  const built = described.map((call) => call.replace(/^\w+/, (method) => method.toUpperCase()));

  test('has every call of the contract and no other', () => {
    expect(Object.keys(CONTRACT).toSorted()).toEqual(built.toSorted());
  });

  test.each(built)('says of %s every status that the contract names', (call) => {
    const [method = '', path = ''] = call.split(' ');
    const statuses = Object.keys(document.paths[path]?.[method.toLowerCase()]?.responses ?? {}).map(Number);
    expect(CONTRACT[call]?.statuses.filter((status) => !statuses.includes(status))).toEqual([]);
  });

  test.each(CALLS)('has %s as the contract promises it', (call, status, body, query) => {
    const [method = '', path = ''] = call.split(' ');
    const operation = document.paths[path]?.[method];
    expect(operation, call).toBeDefined();
    expect(Object.keys(operation?.responses ?? {})).toContain(String(status));
    expect(operation?.requestBody?.content['application/json'].schema.$ref ?? null).toBe(body && `#/components/schemas/${body}`);
    expect((operation?.parameters ?? []).flatMap(({ name, in: where }) => (where === 'query' ? [name] : []))).toEqual(query);
  });

  test('is the one that is kept in schemas; `npm run openapi` writes it anew', async () => {
    expect(await readFile(OPENAPI_FILE, 'utf8')).toBe(await openapiText());
  });

  test('names the headers of refusals: who asks for a key, who was answered like that before, when to come again', () => {
    const { responses } = document.paths['/api/v1/tasks/{taskId}/trigger']?.post ?? {};
    const headersOf = (code: number) => Object.keys(responses?.[code]?.headers ?? {});
    expect(headersOf(401)).toContain('WWW-Authenticate');
    for (const code of [400, 404, 409]) expect(headersOf(code)).toContain('Idempotent-Replayed');
    for (const code of [422, 429, 503]) expect(headersOf(code)).not.toContain('Idempotent-Replayed');
    for (const code of [429, 503]) expect(headersOf(code)).toContain('Retry-After');
  });

  test('lets be absent what a schedule may leave out', () => {
    const { oneOf = [] } = document.components.schemas.RescheduleTask ?? {};
    const required = Object.fromEntries(oneOf.map(({ properties, required }) => [properties.strategy.enum[0], required]));
    expect(required).toEqual({
      immediate: ['strategy'],
      delayed: ['strategy', 'delay'],
      at: ['strategy', 'at'],
      cron: ['strategy', 'cron'],
      exponential_backoff: ['strategy', 'baseDelay'],
      conditional: ['strategy', 'conditions'],
    });
  });

  test('says of every call under /api that it needs a key and what it answers without', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const operation of Object.values(methods)) {
        const isApi = path.startsWith('/api/');
        expect([path, operation.security]).toEqual([path, isApi ? [{ bearer: [] }] : []]);
        expect([path, '401' in operation.responses]).toEqual([path, isApi]);
        expect(operation.summary).not.toBe('');
      }
    }
  });

  test('says what may be absent from a body, and that nothing else may be there', () => {
    const { CreateTask, TriggerTask } = document.components.schemas;
    expect([CreateTask?.required, CreateTask?.additionalProperties]).toEqual([['type'], false]);
    expect([TriggerTask?.required, TriggerTask?.additionalProperties]).toEqual([undefined, false]);
    expect(Object.keys(TriggerTask?.properties ?? {})).toEqual(['context', 'triggerReason', 'conditions']);
  });

  test('names only references that it has', () => {
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(names)].filter((name) => name !== undefined && !(name in document.components.schemas))).toEqual([]);
  });
});

describe('what needs no credentials', () => {
  const door = startDoor();
  const ask = (path: string) => door.ask(path, { as: null });

  test('the page for people loads nothing from elsewhere', async () => {
    const { status, text, headers } = await ask('/docs');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).not.toMatch(/https?:\/\//);
    const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(loaded.length).toBeGreaterThan(2);
    for (const path of loaded) expect([path, (await ask(path)).status]).toEqual([path, 200]);
  });

  test('no other file can be had', async () => {
    for (const name of ['package.json', '..%2f..%2fpackage.json', 'swagger-ui.js.map'])
      expect((await ask(`/docs/${name}`)).status).toBe(404);
  });

  test('health, metrics and readiness', async () => {
    expect((await ask('/healthz')).json).toEqual({ status: 200, data: { state: 'alive' } });
    expect((await ask('/metrics')).text).toBe('a_metric 1\n');
    expect((await ask('/readyz')).json.data).toEqual({ state: 'ready', dependencies: { log: 'up', store: 'up' } });
    const down = startDoor({ deps: { readiness: async () => ({ log: 'up', store: 'down' }) } });
    const { status, json, headers } = await down.ask('/readyz', { as: null });
    expect([status, json.code, json.dependencies, headers.get('retry-after')]).toEqual([
      503,
      'unavailable',
      { log: 'up', store: 'down' },
      '1',
    ]);
  });
});

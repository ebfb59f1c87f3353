import { describe, expect, test } from 'vitest';
import { startDoor } from './door.ts';

type Operation = {
  summary: string;
  security: object[];
  parameters?: { name: string; in: string; required: boolean }[];
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
  responses: { [status: string]: { content?: object } };
};
type Document = {
  openapi: string;
  paths: { [path: string]: { [method: string]: Operation } };
  components: { schemas: { [name: string]: { properties: object; required?: string[]; additionalProperties?: boolean } } };
};

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
    expect(Object.keys(TriggerTask?.properties ?? {})).toEqual(['context', 'triggerReason']);
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

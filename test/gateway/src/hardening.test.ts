import { connect } from 'node:net';
import { decodeWork } from '@retrigger/contract/work-record.ts';
import { serve } from '@retrigger/gateway/serve.ts';
import { describe, expect, test } from 'vitest';
import { type Asked, startDoor } from './door.ts';

const TRIGGER = '/api/v1/tasks/t/trigger';

describe('every answer', () => {
  const door = startDoor();
  const ASKED: [string, number, Asked][] = [
    ['/healthz', 200, { as: null }],
    ['/readyz', 200, { as: null }],
    ['/metrics', 200, { as: null }],
    ['/nowhere', 404, { as: null }],
    ['/api/v1/tasks', 200, {}],
    ['/api/v1/tasks/none', 404, {}],
    ['/api/v1/tasks/none', 401, { as: null }],
    ['/api/v1/tasks/none/events?format=csv', 404, {}],
    [TRIGGER, 202, { method: 'POST', body: {} }],
    [TRIGGER, 400, { method: 'POST', raw: '{' }],
    [TRIGGER, 405, { method: 'DELETE' }],
    [TRIGGER, 415, { method: 'POST', body: {}, headers: { 'content-type': 'text/plain' } }],
  ];
  test.each(ASKED)('of %s that is %i can’t be kept, framed, sniffed or run from', async (path, expected, asked) => {
    const { status, headers } = await door.ask(path, asked);
    expect(status).toBe(expected);
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'x-request-id': expect.any(String),
    });
    expect(headers.get('server') ?? headers.get('x-powered-by')).toBeNull();
  });

  test('of the documentation may be kept, and runs scripts from here only', async () => {
    const { headers } = await door.ask('/docs', { as: null });
    expect(headers.get('cache-control')).toBe('public, max-age=3600');
    expect(headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect([headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual(['nosniff', 'DENY']);
  });

  test('to what is no HTTP has them too', async () => {
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    const text = await new Promise<string>((resolve, reject) => {
      let read = '';
      const socket = connect(served.port, '127.0.0.1', () => socket.end('nonsense\r\n\r\n'));
      socket.on('data', (chunk) => {
        read += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(read));
    });
    await served.stop(0);
    expect(text).toMatch(/x-content-type-options: nosniff/);
    expect(text).toMatch(/cache-control: no-store/);
  });
});

describe('names that mean something to JavaScript', () => {
  const polluted = () => ({}) as { polluted?: unknown; admin?: unknown };
  const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

  test.each([
    '{"__proto__":{"polluted":true}}',
    '{"context":{"__proto__":{"polluted":true}}}',
    '{"context":{"deep":[{"__proto__":{"polluted":true}}]}}',
    '{"context":{"\\u005f\\u005fproto__":{"polluted":true}}}',
  ])('%s is refused, and nothing becomes of it', async (raw) => {
    const door = startDoor();
    const { status, json } = await door.ask(TRIGGER, { method: 'POST', raw });
    expect([status, json.code]).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(json.errors)).toContain('__proto__');
    expect(door.commands).toEqual([]);
    expect(polluted().polluted).toBeUndefined();
  });

  test.each(NAMES)('%s as a field or a query parameter is unknown like any other', async (name) => {
    const door = startDoor();
    const { status } = await door.ask(TRIGGER, { method: 'POST', raw: `{"${name}":{"polluted":true}}` });
    expect(status).toBe(400);
    expect((await door.ask(`/api/v1/tasks?${name}=x`)).status).toBe(400);
    expect((await door.ask(`/api/v1/tasks?${name}[polluted]=x`)).status).toBe(400);
    expect(polluted().polluted).toBeUndefined();
  });

  test('in a context are data: they go through as they came', async () => {
    const door = startDoor();
    const context = { constructor: { prototype: { polluted: true } }, toString: 'x', hasOwnProperty: 1 };
    const { status } = await door.ask(TRIGGER, { method: 'POST', raw: JSON.stringify({ context }) });
    expect(status).toBe(202);
    expect(JSON.stringify(door.commands[0]?.body)).toBe(JSON.stringify({ context }));
    expect(polluted().polluted).toBeUndefined();
  });

  test.each(NAMES)('%s as a task, a file or a command is one that does not exist', async (name) => {
    const door = startDoor();
    expect((await door.ask(`/api/v1/tasks/${name}`)).status).toBe(404);
    expect((await door.ask(`/docs/${name}`, { as: null })).status).toBe(404);
    expect((await door.ask(`/api/v1/commands/${name}`)).status).toBe(404);
  });

  test('a record of the work log that carries them changes nothing but itself', () => {
    const header = { commandId: 'c', tenantId: 'd', taskId: 't', actor: { id: 'a', type: 'user' }, roles: [], correlationId: 'r' };
    const text = JSON.stringify({ ...header, type: 'TriggerTask', body: { context: { x: 1 } } });
    for (const [from, to] of [
      ['"roles":[]', '"roles":[],"__proto__":{"admin":true}'],
      ['{"x":1}', '{"__proto__":{"admin":true}}'],
      ['"TriggerTask"', '"__proto__"'],
      ['"TriggerTask"', '"constructor"'],
    ] as const) {
      expect(['command', 'undecodable']).toContain(decodeWork({ value: Buffer.from(text.replace(from, to)) }).kind);
      expect(polluted().admin).toBeUndefined();
    }
  });
});

test('what is malformed is told by its place, and never quoted', async () => {
  const door = startDoor();
  const { status, json, text } = await door.ask(TRIGGER, { method: 'POST', raw: '{"context": canary-in-a-body}' });
  expect([status, json.errors]).toEqual([400, [{ path: '', message: expect.stringMatching(/^malformed JSON( at position \d+)?$/) }]]);
  expect(text).not.toContain('canary');
  expect(decodeWork({ value: Buffer.from('{"context": canary-in-a-record}') })).toEqual({
    kind: 'undecodable',
    reason: expect.not.stringContaining('canary'),
  });
});

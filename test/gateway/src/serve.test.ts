import { connect } from 'node:net';
import { MAX_BODY_BYTES } from '@retrigger/contract/strict-json.ts';
import { type Listening, serve } from '@retrigger/gateway/serve.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Door, keyOf, startDoor } from './door.ts';

type Answer = { data: { for?: string } };

describe('the HTTP server', () => {
  let door: Door;
  let server: Listening;

  beforeEach(async () => {
    door = startDoor();
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    server = served;
  });

  afterEach(() => server.stop(0));

  const trigger = (body: string | ReadableStream | null, headers: { [name: string]: string } = {}) =>
    fetch(`${server.url}/api/v1/tasks/t/trigger`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf('admin')}`, 'content-type': 'application/json', ...headers },
      body,
      duplex: 'half',
    } as RequestInit);

  const KEY_LINES: [string[], number][] = [
    [['Idempotency-Key: a', 'Idempotency-Key: b'], 400],
    [['Idempotency-Key: a', 'Idempotency-Key: a'], 400],
    [['Idempotency-Key:', 'Idempotency-Key:'], 400],
    [['X-Idempotency-Key: a', 'X-Idempotency-Key: b'], 400],
    [['Idempotency-Key: a, b'], 202],
  ];
  test.each(KEY_LINES)('a request with the lines %j is %i: several are a key that nobody has meant', async (lines, expected) => {
    const head = [
      ...['POST /api/v1/tasks/t/trigger HTTP/1.1', 'Host: t', `Authorization: Bearer ${keyOf('admin')}`],
      ...[...lines, 'Content-Length: 0', 'Connection: close'],
    ];
    expect((await exchange(`${head.join('\r\n')}\r\n\r\n`)).split(' ')[1]).toBe(String(expected));
    expect(door.commands).toHaveLength(expected === 202 ? 1 : 0);
  });

  /** Sends bytes and reads until the server hangs up. */
  const exchange = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });

  test('answers a call that comes in over a socket', async () => {
    const response = await trigger('{"triggerReason":"x"}');
    expect([response.status, ((await response.json()) as Answer).data.for]).toEqual([202, 'TriggerTask']);
    expect(door.commands[0]?.body).toEqual({ triggerReason: 'x' });
  });

  test('a body that comes in pieces is one body', async () => {
    const pieces = ['{"trigger', 'Reason":"', '\u00e9"}'].map((piece) => new TextEncoder().encode(piece));
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    expect((await trigger(body)).status).toBe(202);
    expect(door.commands[0]?.body).toEqual({ triggerReason: '\u00e9' });
  });

  test('a body of undeclared length is cut off where it is too large', async () => {
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (sent > 20 * MAX_BODY_BYTES) controller.close();
        else controller.enqueue(new Uint8Array(65_536).fill(0x20));
        sent += 65_536;
      },
    });
    const status = await trigger(body).then(
      (response) => response.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(status);
    expect(door.commands).toEqual([]);
  });

  test('a request that is no HTTP is refused, and the server lives on', async () => {
    const unreadable: [string, number, string][] = [
      ['nonsense\r\n\r\n', 400, 'invalid_request'],
      ['GET / HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
      ['GET / HTTP/1.1\r\nHost: x y\r\n\r\n', 400, 'invalid_request'],
      [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`, 413, 'payload_too_large'],
    ];
    for (const [bytes, status, code] of unreadable) {
      const [head = '', body = ''] = (await exchange(bytes)).split('\r\n\r\n');
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head.toLowerCase()).toContain('content-type: application/problem+json');
      expect(head.toLowerCase()).toMatch(/x-request-id: \S/);
      expect(JSON.parse(body)).toMatchObject({ status, code, title: expect.any(String), type: expect.any(String), instance: '/' });
    }
    expect((await trigger(null)).status).toBe(202);
  });

  test('an expectation that nobody has to understand is passed over: the request is answered like any other', async () => {
    const head = ['POST /api/v1/tasks/t/trigger HTTP/1.1', 'Host: t', 'Content-Length: 0', 'Connection: close'];
    const asked = (...more: string[]) => exchange(`${[...head, ...more].join('\r\n')}\r\n\r\n`);
    const [line = '', ...others] = (await asked('Expect: the-best')).split('\r\n');
    expect([line, others.at(-1)]).toEqual(['HTTP/1.1 401 Unauthorized', expect.stringContaining('"code":"unauthenticated"')]);
    expect(others).toContainEqual(expect.stringMatching(/^x-request-id: \S/i));
    expect(await asked('Expect: the-best', `Authorization: Bearer ${keyOf('admin')}`)).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('a port that is taken is told as a value', async () => {
    const second = await serve(door.app.fetch, { host: '127.0.0.1', port: server.port });
    const message = `can not listen on 127.0.0.1:${server.port}: another process has it; set PORT to a free port`;
    expect(second).toEqual({ kind: 'cannot_listen', message });
    const elsewhere = await serve(door.app.fetch, { host: '192.0.2.1', port: 0 });
    expect(elsewhere).toMatchObject({ kind: 'cannot_listen', message: expect.stringContaining('set HOST to one that it has') });
  });

  test('a stop lets the requests that are under way end', async () => {
    door.worker = null;
    const asking = trigger('{}', { prefer: 'wait=60' });
    for (const end = performance.now() + 20_000; door.commands.length === 0 && performance.now() < end; )
      await new Promise((resolve) => setImmediate(resolve));
    const stopped = server.stop(5_000);
    const [command] = door.commands;
    door.answers.answer({ commandId: command?.commandId ?? '', outcome: { kind: 'accepted', answer: { late: true } }, replayed: false });
    expect(((await (await asking).json()) as Answer).data).toEqual({ late: true });
    await stopped;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test('callers who still wait when the grace ends are told that it is pending, and where the outcome will be', async () => {
    door.worker = null;
    const asking = Promise.all(Array.from({ length: 20 }, () => trigger('{}', { prefer: 'wait=60' })));
    for (const end = performance.now() + 20_000; door.commands.length < 20 && performance.now() < end; )
      await new Promise((resolve) => setImmediate(resolve));
    const stopped = server.stop(50);
    for (const response of await asking) {
      const commandId = response.headers.get('x-command-id');
      expect([response.status, await response.json()]).toEqual([202, { status: 202, data: { commandId, state: 'pending' } }]);
      expect(response.headers.get('location')).toMatch(`/api/v1/commands/${commandId}?accepted=`);
    }
    await stopped;
  });
});

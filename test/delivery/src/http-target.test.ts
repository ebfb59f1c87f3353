import { createServer, type Socket } from 'node:net';
import { type HttpTargets, httpTargets, type TargetCall } from '@retrigger/delivery/http-target.ts';
import { verify } from '@retrigger/delivery/standard-webhooks.ts';
import { systemClock } from '@retrigger/lifecycle/system-clock.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServer } from './target-server.ts';

const secret = Buffer.from('a secret of this target');
const request = { executionId: 'task-1.abc', runId: 'run_1', taskId: 'task-1', attempt: 1, context: { version: '1.2.3', ü: ['ß'] } };

const parse = (bytes: Uint8Array) => {
  try {
    return { kind: 'value' as const, value: JSON.parse(Buffer.from(bytes).toString()) };
  } catch {
    return { kind: 'invalid' as const };
  }
};

const cleanups: (() => Promise<void>)[] = [];
let targets: HttpTargets;
beforeEach(() => {
  targets = httpTargets({ clock: systemClock, allowPrivate: true, parse });
  cleanups.push(() => targets.close());
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(answer: Parameters<typeof startServer>[0]) {
  const server = await startServer(answer);
  cleanups.push(server.stop);
  return server;
}

const call = (url: string, more: Partial<TargetCall> = {}, signal = new AbortController().signal) =>
  targets.call({ url, method: 'POST', headers: {}, timeoutMs: 5_000, secret, request, ...more }, signal);

test('sends the execution, signed, with its executionId as the id of the message', async () => {
  const server = await serve((response) => response.setHeader('content-type', 'application/json').end('{"done":true}'));
  const answer = await call(`${server.url}?stage=1`, {
    method: 'PUT',
    headers: { 'X-Team': 'blue', 'Content-Type': 'text/plain', 'Webhook-Id': 'other' },
    traceparent: '00-a-b-01',
  });
  expect(answer).toEqual({ kind: 'completed', result: { done: true } });
  const [got] = server.received;
  expect(got).toMatchObject({ method: 'PUT', url: '/run?stage=1', body: JSON.stringify(request) });
  expect(got?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-team': 'blue',
    'webhook-id': 'task-1.abc',
    traceparent: '00-a-b-01',
  });
  expect(verify(secret, got?.headers ?? {}, got?.body ?? '', Date.now())).toEqual({ kind: 'valid' });
});

test('an empty answer completes without a result, and so does text that is no JSON', async () => {
  const server = await serve((response, { url }) =>
    url === '/text' ? response.setHeader('content-type', 'text/plain').end('OK') : response.writeHead(204).end(),
  );
  expect(await call(server.url)).toEqual({ kind: 'completed', result: null });
  expect(await call(server.url.replace('/run', '/text'))).toEqual({ kind: 'completed', result: null });
});

test('an answer that says it is JSON and is not fails the execution', async () => {
  const server = await serve((response) => response.setHeader('content-type', 'application/json; charset=utf-8').end('{"done":'));
  expect(await call(server.url)).toMatchObject({ kind: 'failed', error: { code: 'target_answer_invalid' }, retryable: false });
});

test('202 is taken as a promise to report', async () => {
  const server = await serve((response) => response.writeHead(202).end('{"ignored":true}'));
  expect(await call(server.url)).toEqual({ kind: 'accepted' });
});

test.each([
  [400, false],
  [404, false],
  [408, true],
  [410, false],
  [425, true],
  [429, true],
  [500, true],
  [503, true],
])('status %i fails the execution, retryable: %s', async (status, retryable) => {
  const server = await serve((response) => response.writeHead(status).end('whsec_leak'));
  const answer = await call(server.url);
  expect(answer).toEqual({ kind: 'failed', error: { code: 'target_status', message: `The target answered ${status}` }, retryable });
});

test('a redirect is not followed', async () => {
  const other = await serve((response) => response.end('{}'));
  const server = await serve((response) => response.writeHead(307, { location: other.url }).end());
  expect(await call(server.url)).toMatchObject({ kind: 'failed', error: { code: 'target_status' }, retryable: false });
  expect(other.received).toEqual([]);
});

test('a target that does not answer times out', async () => {
  const server = await serve(() => {});
  expect(await call(server.url, { timeoutMs: 60 })).toMatchObject({ kind: 'failed', error: { code: 'target_timeout' }, retryable: true });
});

test('a target that begins its answer and does not end it times out', async () => {
  const server = await serve((response) => response.write('{"begun":'));
  expect(await call(server.url, { timeoutMs: 100 })).toMatchObject({ kind: 'failed', error: { code: 'target_timeout' } });
});

test('an answer of 256 KiB is taken, one byte more is not, announced or not', async () => {
  const json = (size: number) => `"${'x'.repeat(size - 2)}"`;
  const server = await serve((response, { url }) => {
    const text = json(url === '/fits' ? 262_144 : 262_145);
    if (url !== '/streamed') response.setHeader('content-length', text.length);
    response.write(text.slice(0, 100_000));
    response.end(text.slice(100_000));
  });
  const to = (path: string) => call(server.url.replace('/run', path));
  expect(await to('/fits')).toMatchObject({ kind: 'completed' });
  for (const path of ['/announced', '/streamed']) {
    expect(await to(path)).toMatchObject({ kind: 'failed', error: { code: 'target_answer_too_large' }, retryable: false });
  }
  expect(await to('/fits')).toMatchObject({ kind: 'completed' });
});

test('an endless answer is cut off', async () => {
  const server = await serve((response) => {
    const more = (): void => void (response.write('x'.repeat(65_536)) ? setImmediate(more) : response.once('drain', more));
    more();
    response.on('close', () => response.removeAllListeners('drain'));
  });
  expect(await call(server.url)).toMatchObject({ kind: 'failed', error: { code: 'target_answer_too_large' } });
});

test('a port that nobody listens on is unreachable', async () => {
  const server = await startServer((response) => response.end());
  await server.stop();
  expect(await call(server.url)).toEqual({
    kind: 'failed',
    error: { code: 'target_unreachable', message: 'The target could not be called: the connection was refused (ECONNREFUSED)' },
    retryable: true,
  });
});

test('a name that does not exist is unreachable', async () => {
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND token-in-name.example'), { code: 'ENOTFOUND' });
  const named = httpTargets({ clock: systemClock, allowPrivate: false, parse, resolve: (_name, done) => done(unknown, []) });
  cleanups.push(() => named.close());
  const answer = await named.call(
    { url: 'http://token-in-name.example/', method: 'POST', headers: {}, timeoutMs: 1_000, secret, request },
    new AbortController().signal,
  );
  expect(answer).toMatchObject({
    kind: 'failed',
    error: { code: 'target_unreachable', message: expect.not.stringContaining('token-in-name') },
  });
});

test('what does not speak HTTP is unreachable', async () => {
  const server = createServer(
    (socket) =>
      void socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => void server.close(() => resolve())));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  expect(await call(`http://127.0.0.1:${port}/`)).toMatchObject({ kind: 'failed', error: { code: 'target_unreachable' }, retryable: true });
});

test('a call that is broken off ends at once', async () => {
  const breaking = new AbortController();
  const server = await serve(() => breaking.abort());
  expect(await call(server.url, {}, breaking.signal)).toMatchObject({ kind: 'failed', error: { code: 'target_unreachable' } });
});

test.each(['destroy', 'resetAndDestroy'] as const)('a kept connection that its server has closed (%s) is not used again', async (close) => {
  const sockets: (Socket | null)[] = [];
  const server = await serve((response) => {
    sockets.push(response.socket);
    response.end('{}');
  });
  await call(server.url);
  for (const socket of sockets) socket?.[close](); // the system knows at once, we have not looked yet
  expect(await call(server.url)).toMatchObject({ kind: 'completed' });
  expect(server.received).toHaveLength(2);
});

test.each(['end', 'resetAndDestroy'] as const)(
  'H1: a kept connection that its server closes under a call (%s) fails it, and it is not sent again: it may have been taken',
  async (close) => {
    const server = await serve((response, _, nth) => void (nth === 1 ? response.end('{}') : response.socket?.[close]()));
    expect(await call(server.url)).toMatchObject({ kind: 'completed' });
    expect(await call(server.url)).toMatchObject({ kind: 'failed', error: { code: 'target_unreachable' }, retryable: true });
    expect(server.received).toHaveLength(2);
  },
);

test('a new connection that is closed without an answer is not called again', async () => {
  const server = await serve((response) => response.socket?.end());
  expect(await call(server.url)).toMatchObject({ kind: 'failed', error: { code: 'target_unreachable' } });
  expect(server.received).toHaveLength(1);
});

test('connections are kept between calls', async () => {
  const ports = new Set<number | undefined>();
  const server = await serve((response) => {
    ports.add(response.socket?.remotePort);
    response.end('{}');
  });
  for (let i = 0; i < 10; i++) await call(server.url);
  expect(ports.size).toBeLessThan(4);
});

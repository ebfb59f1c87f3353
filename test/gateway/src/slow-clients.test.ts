import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Listening, serve } from '@retrigger/gateway/serve.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { type Door, keyOf, startDoor } from './door.ts';

/** Longer than a machine that is full stands still. */
const SHORT_MS = 1_000;
const LATE_MS = 25_000;

describe('clients that hold on', () => {
  let server: Listening;
  let sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    await server.stop(0);
  });

  async function listen(door: Door, bounds: { mostConnections?: number; silentMs?: number; headersMs?: number; requestMs?: number }) {
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0, ...bounds });
    if (served.kind !== 'listening') throw new Error(served.message);
    server = served;
  }

  /** A connection that has sent these bytes; `ended` resolves with all that came back when the server hangs up. */
  async function open(bytes: string, isReading = true) {
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    if (isReading)
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
    socket.on('error', () => {});
    const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
    await once(socket, 'connect');
    socket.write(bytes);
    return { socket, ended };
  }

  /** The server's end of the next connection. */
  const nextAccepted = (): Promise<Socket> =>
    new Promise((resolve) => {
      const tell = (message: unknown) => {
        unsubscribe('net.server.socket', tell);
        resolve((message as { socket: Socket }).socket);
      };
      subscribe('net.server.socket', tell);
    });

  const within = <T>(what: string, promise: Promise<T>): Promise<T> =>
    Promise.race([
      promise,
      new Promise<T>((_, reject) => setTimeout(() => reject(new Error(`it did not happen: ${what}`)), LATE_MS).unref()),
    ]);

  const post = (length: number) =>
    `POST /api/v1/tasks/t/trigger HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keyOf('admin')}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const alive = async () => expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

  test('headers that drip in byte by byte are cut off and may come again, however many do it, and others are served meanwhile (D1)', async () => {
    await listen(startDoor(), { headersMs: SHORT_MS });
    const slow = await Promise.all(Array.from({ length: 200 }, () => open('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')));
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('x');
    }, 20);
    try {
      await alive();
      for (const text of await within('all are cut off', Promise.all(slow.map(({ ended }) => ended))))
        expect(text).toMatch(/^(HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*"code":"unavailable"|$)/);
    } finally {
      clearInterval(drip);
    }
    await alive();
  });

  test('a body that drips in is cut off, gives its memory back and becomes no command (D1)', async () => {
    const door = startDoor();
    await listen(door, { requestMs: SHORT_MS, headersMs: SHORT_MS });
    const slow = await Promise.all(Array.from({ length: 50 }, () => open(`${post(1_000)}{"triggerReason":"`)));
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write('x');
    }, 20);
    try {
      await within('all are cut off', Promise.all(slow.map(({ ended }) => ended)));
    } finally {
      clearInterval(drip);
    }
    await alive();
    expect(door.commands).toEqual([]);
  });

  test('connections that say nothing at all are cut off (D1)', async () => {
    await listen(startDoor(), { headersMs: SHORT_MS });
    const idle = await Promise.all(Array.from({ length: 500 }, () => open('')));
    await alive();
    await within('all are cut off', Promise.all(idle.map(({ ended }) => ended)));
  });

  test('a client that never reads its answers is cut off (D1)', async () => {
    const door = startDoor({ deps: { metrics: async () => 'x'.repeat(8 * 1_048_576) } });
    await listen(door, { silentMs: SHORT_MS });
    const accepted = nextAccepted();
    const { socket, ended } = await open('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n', false);
    socket.pause();
    await within('it is cut off', once(await accepted, 'close'));
    socket.resume(); // what lies in the system's buffers is read, and then there is no more
    await within('it hears of that', ended);
    expect(socket.bytesRead).toBeLessThan(8 * 1_048_576);
    await alive();
  });

  test('connections are bounded, and idle ones make room for who wants something (D2)', async () => {
    await listen(startDoor(), { mostConnections: 50 });
    const idle = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const one = await open('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
        await once(one.socket, 'data');
        return one;
      }),
    );
    await within('the one too many is turned away', (await open('')).ended);
    await within('the idle ones are closed', Promise.all(idle.map(({ ended }) => ended)));
    await alive();
  });
});

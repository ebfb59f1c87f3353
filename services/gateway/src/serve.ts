import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { problemReply } from './problem.ts';
import { toResponse } from './reply.ts';

/** A client has so long for its headers, for the whole request, and between two requests. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const CHECK_EVERY_MS = 2_000;
const IDLE_CHECK_MS = 20;

export type Listening = {
  kind: 'listening';
  /** With the port that was found when 0 was asked for. */
  url: string;
  port: number;
  /** Takes no more connections, lets requests end for up to `graceMs`, then cuts what is left. */
  stop(graceMs: number): Promise<void>;
};

export type Served = Listening | { kind: 'cannot_listen'; message: string };

type Fetch = (request: Request, env: { incoming: unknown; outgoing: unknown }) => Response | Promise<Response>;

/** Serves an app over HTTP. A port that can't be had is a value, not a throw. */
export async function serve(fetch: Fetch, { host, port }: { host: string; port: number }): Promise<Served> {
  const listener = getRequestListener(fetch, {
    errorHandler: () =>
      toResponse(problemReply({ code: 'invalid_request', detail: 'The request line or the Host header is not valid' }, '/')),
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    listener,
  );
  server.on('clientError', refuseUnreadable);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const why = code === 'EADDRINUSE' ? 'another process has it' : code;
    return { kind: 'cannot_listen', message: `can not listen on ${host}:${port}: ${why}` };
  }
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { kind: 'listening', url: `http://${name}:${bound}`, port: bound, stop: (graceMs) => stop(server, graceMs) };
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS); // a connection stays open after the last answer on it
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

const STATUS_OF: { [code: string]: string } = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What is no HTTP, or comes too slowly, is told so and cut off. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${STATUS_OF[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

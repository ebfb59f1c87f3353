import { randomUUID } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Problem, problemReply } from './problem.ts';
import { headersOf, toResponse } from './reply.ts';

/** A client has so long for its headers, for the whole request, and between two requests. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;
const CHECK_EVERY_MS = 2_000;
/** A connection on which nothing moves for so long is cut off: past the longest wait for an outcome, so only a client that is gone or never reads loses it. */
const SILENT_MS = 90_000;
/** As many as commands can be in flight. When there are more, those that do nothing make room. */
const MOST_CONNECTIONS = 10_000;
const IDLE_CHECK_MS = 20;
/** So long the last answers may take to go out once nobody waits for the worker any more. */
const LAST_WORDS_MS = 1_000;

export type Listening = {
  kind: 'listening';
  /** With the port that was found when 0 was asked for. */
  url: string;
  port: number;
  /**
   * Takes no more connections, ends what has no end of its own (`env.stopping` aborts) and lets requests end for up to `graceMs`. Then those that still wait are told so (`env.leaving` aborts), and what
   * has not ended a second later is cut off.
   */
  stop(graceMs: number): Promise<void>;
};

export type Served = Listening | { kind: 'cannot_listen'; message: string };

const NO_ADDRESS = 'this machine has no such address; set HOST to one that it has';
const REMEDIES: { [code: string]: string } = {
  EADDRINUSE: 'another process has it; set PORT to a free port',
  EACCES: 'this user may not; set PORT to one above 1023',
  ENOTFOUND: NO_ADDRESS,
  EADDRNOTAVAIL: NO_ADDRESS,
};

/** What an app is given with each request. `stopping` aborts when the server stops, `leaving` when waiting must end. */
type Env = { incoming: unknown; outgoing: unknown; stopping: AbortSignal; leaving: AbortSignal };
type Fetch = (request: Request, env: Env) => Response | Promise<Response>;

/** `freshId` names requests that no app can be asked about; the others are for tests that can't wait so long, or open so many. */
type Serving = {
  host: string;
  port: number;
  freshId?: () => string;
  mostConnections?: number;
  silentMs?: number;
  headersMs?: number;
  requestMs?: number;
};

/**
 * Serves an app over HTTP. A port that can't be had is a value, not a throw.
 * D1: no client holds anything for ever: its headers, its body, its silence, and the answer that it doesn't read have an end. D2: connections are bounded.
 */
export async function serve(
  fetch: Fetch,
  {
    host,
    port,
    freshId = randomUUID,
    mostConnections = MOST_CONNECTIONS,
    silentMs = SILENT_MS,
    headersMs = HEADERS_MS,
    requestMs = REQUEST_MS,
  }: Serving,
): Promise<Served> {
  const [stopping, leaving] = [new AbortController(), new AbortController()];
  for (const { signal } of [stopping, leaving]) setMaxListeners(0, signal);
  const unreadable = (problem: Problem) => {
    const reply = problemReply(problem, '/');
    reply.headers['x-request-id'] = freshId();
    return reply;
  };
  const listener = getRequestListener((request, env) => fetch(request, { ...env, stopping: stopping.signal, leaving: leaving.signal }), {
    errorHandler: () => toResponse(unreadable({ code: 'invalid_request', detail: 'The request line or the Host header is not valid' })),
  });
  const server = createServer(
    {
      headersTimeout: headersMs, // D1
      requestTimeout: requestMs, // D1
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headersMs),
      requireHostHeader: false, // a request without one is refused below, as a problem
    },
    listener,
  );
  server.on('checkExpectation', listener); // what nobody has to understand (RFC 9110, 10.1.1) is passed over: Node's own 417 has neither id nor problem
  server.timeout = silentMs; // D1
  server.maxConnections = mostConnections; // D2
  server.on('drop', () => server.closeIdleConnections());
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseUnreadable(error, socket, unreadable));
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { kind: 'cannot_listen', message: `can not listen on ${host}:${port}: ${REMEDIES[code] ?? code}` };
  }
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { kind: 'listening', url: `http://${name}:${bound}`, port: bound, stop: (graceMs) => stop(server, stopping, leaving, graceMs) };
}

async function stop(server: Server, stopping: AbortController, leaving: AbortController, graceMs: number): Promise<void> {
  stopping.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS); // a connection stays open after the last answer on it
  const told = setTimeout(() => leaving.abort(), graceMs);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs + LAST_WORDS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(told);
  clearTimeout(cut);
}

const TOO_LARGE: Problem = { code: 'payload_too_large', detail: 'The request’s headers are larger than 16 KiB' };
/** Whose fault that is nobody knows: this process may have been paused meanwhile. So it is none of the request: it may come again. */
const TOO_SLOW: Problem = { code: 'unavailable', detail: 'The request did not come whole in time; nothing was done, try again' };
const NO_HTTP: Problem = { code: 'invalid_request', detail: 'This is no valid HTTP/1.1 request' };
const PROBLEM_OF: { [code: string]: Problem } = { HPE_HEADER_OVERFLOW: TOO_LARGE, ERR_HTTP_REQUEST_TIMEOUT: TOO_SLOW };

/** What is no HTTP, or comes too slowly, is told so and cut off. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket, unreadable: (problem: Problem) => ReturnType<typeof problemReply>) {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const reply = unreadable(PROBLEM_OF[error.code ?? ''] ?? NO_HTTP);
  const { status, body } = reply;
  const text = String(body);
  const lines = Object.entries({ ...headersOf(reply), connection: 'close', 'content-length': String(Buffer.byteLength(text)) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${text}`);
}

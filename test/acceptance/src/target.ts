import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '@retrigger/domain/json.ts';

export type Call = { method: string; headers: IncomingHttpHeaders; body: string /** Epoch milliseconds. */; at: number };

/** What every call says of its execution. */
export type Run = { executionId: string; runId: string; taskId: string; attempt: number; context: JsonObject };
export const runOf = ({ body }: Call): Run => JSON.parse(body);

/** A real HTTP target that remembers every call; `reply` says what each is answered. It ends no connection: a call on one that has just ended fails. */
export async function startTarget(reply: (call: Call) => { status: number; body?: string }) {
  const calls: Call[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const call = { method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() };
      calls.push(call);
      const { status, body = '' } = reply(call);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/run`,
    calls,
    /** The calls for one task, in the order in which they came. */
    callsFor: (taskId: string): Call[] => calls.filter((call) => runOf(call).taskId === taskId),
    async stop(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Checks a call as the Standard Webhooks specification tells a receiver to, with the secret that it was given. */
export function isSigned({ headers, body }: Call, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', key).update(content).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((signature) => {
      const [version, text = ''] = signature.split(',');
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

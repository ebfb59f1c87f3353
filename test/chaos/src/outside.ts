import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Event } from '@retrigger/domain/event.ts';
import type { Recorder } from './recorder.ts';

export type News = Pick<Event, 'tenantId' | 'taskId' | 'sequence' | 'eventId'>;

/** Where Retrigger calls and tells: targets and subscribers of every tenant, in one server that never fails. */
export type Outside = {
  url: string;
  /** Who sees what is called from now on. */
  recorder: Recorder | null;
  /** What each tenant's subscriber was told, in the order in which it came; emptied with each round. */
  news: Map<string, News[]>;
  stop(): Promise<void>;
};

type Called = { executionId: string; taskId: string; attempt: number; context: { tenant: string } };

export async function startOutside(tenants: string[]): Promise<Outside> {
  const outside: Outside = { url: '', recorder: null, news: new Map(tenants.map((id) => [id, []])), stop };

  /** `/run/well` and `/run/badly-at-first` are targets, `/news/TENANT` subscribers. */
  function take(path: string, body: string): { status: number; body: string } {
    const [, kind, which = ''] = path.split('/');
    if (kind === 'news') {
      const { tenantId, taskId, sequence, eventId } = JSON.parse(body).data as Event;
      outside.news.get(which)?.push({ tenantId, taskId, sequence, eventId });
      return { status: 204, body: '' };
    }
    const { executionId, taskId, attempt, context } = JSON.parse(body) as Called;
    outside.recorder?.calls.push({ key: `${context.tenant}/${taskId}`, executionId });
    if (which === 'badly-at-first' && attempt === 1) return { status: 500, body: '{}' };
    return { status: 200, body: JSON.stringify({ done: taskId, tenant: context.tenant }) };
  }

  // It ends no connection: a call that a process makes on one that ended while it was paused fails, as it should.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const { status, body } = take(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  outside.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function stop(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
  return outside;
}

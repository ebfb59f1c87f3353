import { createClient } from '@retrigger/client/client.ts';
import type { StreamedEvent } from '@retrigger/client/event-stream.ts';
import { dataOf, ProblemError } from '@retrigger/client/outcome.ts';
import { KEY, PROFILES, type Running, start } from '@retrigger/test-acceptance/profile.ts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hangUp, type Reply, refusal, scriptedGateway, streamed, success } from './scripted-gateway.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function withReplies(...replies: Reply[]) {
  const gateway = await scriptedGateway(...replies);
  cleanups.push(gateway.stop);
  return { ...gateway, client: createClient({ url: gateway.url, key: 'k' }) };
}

async function firstOf(stream: AsyncIterable<StreamedEvent>, count: number): Promise<StreamedEvent[]> {
  const seen: StreamedEvent[] = [];
  for await (const one of stream) if (seen.push(one) === count) break;
  return seen;
}

const message = (id: string): string => `id: ${id}\ndata: {"taskId":"of ${id} ü"}\n\n`;
const events = (...ids: string[]) => ids.map((id) => ({ id, event: { taskId: `of ${id} ü` } }));

describe('a stream of events', () => {
  test('goes on behind the last event after whatever breaks it (E1, E2)', async () => {
    const text = `: connected\n\n${message('e1')}:\n\n${message('e2')}`;
    const pieces = [text.slice(0, 20), text.slice(20, 40), text.slice(40), message('e3').slice(0, 9)];
    const busy = refusal(503, 'overloaded', { 'retry-after': '0' });
    const { client, got } = await withReplies(
      streamed(pieces, { breaks: true }),
      busy,
      hangUp,
      streamed([message('e3').replaceAll('\n', '\r\n')], { breaks: false }),
    );
    expect(await firstOf(client.eventStream({ types: ['TaskFailed', 'TaskCompleted'], taskId: 't' }), 3)).toEqual(events('e1', 'e2', 'e3'));
    expect(got.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'e2', 'e2', 'e2']);
    expect(new Set(got.map(({ url }) => url))).toEqual(new Set(['/api/v1/events/stream?types=TaskFailed%2CTaskCompleted&taskId=t']));
  });

  test('that breaks before its first event goes on where it began (E1)', async () => {
    const { client, got } = await withReplies(
      streamed([': connected\n\n'], { breaks: true, 'last-event-id': 'began' }),
      streamed([message('e1')], { breaks: false, 'last-event-id': 'another' }),
    );
    expect(await firstOf(client.eventStream(), 1)).toEqual(events('e1'));
    expect(got.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'began']);
  });

  test('begins behind the event that the caller names', async () => {
    const { client, got } = await withReplies(streamed([message('e8')], { breaks: false }));
    expect(await firstOf(client.eventStream({}, { lastEventId: 'e7' }), 1)).toEqual(events('e8'));
    expect(got.map(({ lastEventId }) => lastEventId)).toEqual(['e7']);
  });

  test('waits as long as Retry-After says (E2)', async () => {
    const { client, got } = await withReplies(
      refusal(429, 'rate_limited', { 'retry-after': '1' }),
      streamed([message('e1')], { breaks: false }),
    );
    await firstOf(client.eventStream(), 1);
    expect((got[1]?.at ?? 0) - (got[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test.each<[string, number, Reply]>([
    ...[400, 401, 403].map((status): [string, number, Reply] => ['no', status, refusal(status, 'no')]),
    ['unreadable', 200, success({})],
    ['unreadable', 0, streamed(['data: <html>\n\n'], { breaks: false })],
  ])('that another try can’t mend throws its problem: %s, %i (E3)', async (code, status, reply) => {
    const { client, got } = await withReplies(reply);
    const thrown = await firstOf(client.eventStream(), 1).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ProblemError);
    expect((thrown as ProblemError).problem).toMatchObject({ code, status });
    expect(got).toHaveLength(1);
  });

  test.each(['connected', 'waiting'])(
    'ends without an error when its signal aborts while it is %s, and leaves no connection',
    async (state) => {
      const closed = Promise.withResolvers<void>();
      const { client, got } = await withReplies((response, one) => {
        response.on('close', closed.resolve);
        if (state === 'waiting') refusal(503, 'overloaded', { 'retry-after': '60' })(response, one);
        else streamed([message('e1')], { breaks: false })(response, one);
      });
      const stopping = new AbortController();
      const stream = client.eventStream({}, { signal: stopping.signal });
      if (state === 'connected') await stream.next();
      const end = stream.next();
      await expect.poll(() => got.length, { timeout: 20_000 }).toBe(1);
      stopping.abort();
      expect(await end).toEqual({ done: true, value: undefined });
      await closed.promise;
    },
  );

  test('that the caller leaves closes its connection', async () => {
    const closed = Promise.withResolvers<void>();
    const { client } = await withReplies((response, one) => {
      response.on('close', closed.resolve);
      streamed([message('e1')], { breaks: false })(response, one);
    });
    await firstOf(client.eventStream(), 1);
    await closed.promise;
  });
});

describe.each(PROFILES)('a stream of events, %s', (profile) => {
  let running: Running;
  beforeAll(async () => {
    running = await start(profile);
  });
  afterAll(() => running.stop());

  /** Every connection breaks behind its second piece. */
  const connected = Promise.withResolvers<void>();
  const breaking: typeof fetch = async (...asked) => {
    const response = await fetch(...asked);
    connected.resolve();
    let pieces = 0;
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk);
        if (++pieces === 2) controller.error(new Error('cut off'));
      },
    });
    return new Response(response.body?.pipeThrough(cut) ?? null, response);
  };

  test('misses nothing and repeats nothing, however often it is cut off; the pages of all tasks hold the same', async () => {
    const client = createClient({ url: running.url, key: KEY });
    const stream = createClient({ url: running.url, key: KEY, fetch: breaking }).eventStream({ types: ['TaskCreated'] });
    const first = stream.next();
    await connected.promise;
    const names = Array.from({ length: 12 }, (_, i) => `streamed-${i}`);
    dataOf(await client.createTask({ taskId: 'streamed-before', type: 'job' }));
    const seen = [await first];
    const rest = firstOf(stream, names.length);
    for (const taskId of names) dataOf(await client.createTask({ taskId, type: 'job' }));
    const shown = [...seen.map(({ value }) => value as StreamedEvent), ...(await rest)].map(({ event }) => event);
    expect(shown.map(({ taskId }) => taskId)).toEqual(['streamed-before', ...names]);
    const page = dataOf(await client.tenantEvents({ types: ['TaskCreated'], pageSize: 1_000 }));
    expect(page.events.slice(-shown.length)).toEqual(shown);
    expect(dataOf(await client.tenantEvents({ taskId: 'streamed-3' })).events).toEqual([shown[4]]);
  });
});

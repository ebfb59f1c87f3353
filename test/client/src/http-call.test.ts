import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@retrigger/client/client.ts';
import { dataOf, ProblemError } from '@retrigger/client/outcome.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { hangUp, type Reply, refusal, scriptedGateway, silence, success } from './scripted-gateway.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function withReplies(...replies: Reply[]) {
  const gateway = await scriptedGateway(...replies);
  cleanups.push(gateway.stop);
  return { ...gateway, client: createClient({ url: gateway.url, key: 'k', withinMs: 5_000 }) };
}

const triggered = success({ executionId: 'e1' }, 202);

describe('a call', () => {
  test.each<[string, Reply]>([
    ['a connection that breaks', hangUp],
    ['503', refusal(503, 'overloaded')],
    ['502 of a proxy', (response) => void response.writeHead(502).end('<html>')],
    ['429', refusal(429, 'rate_limited', { 'retry-after': '0' })],
  ])('that meets %s is tried again under the same key (H1, H2)', async (_, trouble) => {
    const { client, got } = await withReplies(trouble, trouble, triggered);
    expect(await client.trigger('t1')).toEqual({ ok: true, status: 202, data: { executionId: 'e1' }, commandId: 'c1', replayed: false });
    expect(got).toHaveLength(3);
    expect(new Set(got.map(({ key }) => key)).size).toBe(1);
    expect(got[0]?.key).toMatch(/^.{20,}$/);
  });

  test('two calls have two keys, and a caller’s own key is used as it is', async () => {
    const { client, got } = await withReplies(triggered);
    await client.trigger('t1');
    await client.trigger('t1');
    await client.trigger('t1', {}, { idempotencyKey: 'mine' });
    expect(new Set(got.map(({ key }) => key)).size).toBe(3);
    expect(got[2]?.key).toBe('mine');
  });

  test('waits as long as Retry-After says', async () => {
    const { client, got } = await withReplies(refusal(503, 'overloaded', { 'retry-after': '1' }), triggered);
    await client.trigger('t1');
    expect((got[1]?.at ?? 0) - (got[0]?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('that is limited for longer than it has is told so at once', async () => {
    const { client, got } = await withReplies(refusal(429, 'rate_limited', { 'retry-after': '3000' }));
    expect(await client.trigger('t1')).toMatchObject({ ok: false, problem: { code: 'rate_limited', status: 429, commandId: 'c1' } });
    expect(got).toHaveLength(1);
  });

  test.each([400, 401, 403, 404, 409, 422])('that is refused with %i comes back at once', async (status) => {
    const { client, got } = await withReplies(refusal(status, 'no'));
    expect(await client.trigger('t1')).toMatchObject({ ok: false, problem: { code: 'no', status, detail: 'it is no' } });
    expect(got).toHaveLength(1);
  });

  test('that is to be asked again after a 409 is so under a new key', async () => {
    const { client, got } = await withReplies(refusal(409, 'task_already_running'), refusal(404, 'task_not_found'), triggered);
    const codes: string[] = [];
    const againAfter = ({ code }: { code: string }) => codes.push(code) > 0;
    expect(await client.trigger('t1', {}, { againAfter })).toMatchObject({ ok: true });
    expect(codes).toEqual(['task_already_running', 'task_not_found']);
    expect(new Set(got.map(({ key }) => key)).size).toBe(3);
  });

  test('with a key of the caller’s own is never asked again after a refusal, for that key keeps it', async () => {
    const { client, got } = await withReplies(refusal(409, 'no'), triggered);
    expect(await client.trigger('t1', {}, { idempotencyKey: 'mine', againAfter: () => true })).toMatchObject({ ok: false });
    expect(got).toHaveLength(1);
  });

  test('that is pending is followed to its outcome (H3)', async () => {
    const place = '/api/v1/commands/c1?accepted=2026-01-01T00:00:00.000Z';
    const { client, got } = await withReplies(
      success({ commandId: 'c1', state: 'pending' }, 202, { location: place }),
      success({ commandId: 'c1', state: 'pending' }),
      hangUp,
      success({ commandId: 'c1', state: 'accepted', outcome: { status: 202, body: { status: 202, data: { executionId: 'e1' } } } }),
    );
    expect(await client.trigger('t1')).toMatchObject({ ok: true, status: 202, data: { executionId: 'e1' }, commandId: 'c1' });
    expect(got.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /api/v1/tasks/t1/trigger', ...Array(3).fill(`GET ${place}`)]);
  });

  test('that was pending and then refused is that refusal; one that stays pending is undecided', async () => {
    const pending = success({ commandId: 'c1', state: 'pending' }, 202, { location: '/api/v1/commands/c1?accepted=x' });
    const body = { status: 409, code: 'invalid_state', title: 't', detail: 'd' };
    const refused = await withReplies(pending, success({ commandId: 'c1', state: 'refused', outcome: { status: 409, body } }));
    expect(await refused.client.trigger('t1')).toMatchObject({ ok: false, problem: { code: 'invalid_state', commandId: 'c1' } });
    const open = await withReplies(pending, success({ commandId: 'c1', state: 'pending' }));
    expect(await open.client.trigger('t1', {}, { withinMs: 2_000 })).toMatchObject({ ok: false, problem: { code: 'undecided' } });
  });

  test('that nobody answers takes no longer than its time, and one try no longer than its own (H4)', async () => {
    const { client, got } = await withReplies(silence);
    const begun = performance.now();
    expect(await client.trigger('t1', {}, { withinMs: 600, tryWithinMs: 150 })).toMatchObject({
      ok: false,
      problem: { code: 'unreachable', status: 0 },
    });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(got.length).toBeGreaterThan(1);
  });

  test('that its caller breaks off is aborted', async () => {
    const breaking = new AbortController();
    const { client } = await withReplies((response) => {
      breaking.abort();
      silence(response, {} as never);
    });
    expect(await client.trigger('t1', {}, { signal: breaking.signal })).toMatchObject({ ok: false, problem: { code: 'aborted' } });
  });

  test('is answered by a value, which those who would rather catch may throw', async () => {
    const { client } = await withReplies(success({ taskId: 't1' }), refusal(404, 'task_not_found'));
    expect(dataOf(await client.task('t1'))).toEqual({ taskId: 't1' });
    const missing = await client.task('t2');
    expect(() => dataOf(missing)).toThrow(ProblemError);
    expect(() => dataOf(missing)).toThrow('task_not_found: it is task_not_found');
  });

  test('to what is no gateway is told so; its key goes nowhere else', async () => {
    let others = 0;
    const elsewhere = createServer((_, response) => response.end(String(++others))).listen(0, '127.0.0.1');
    const { client } = await withReplies(
      (response) => void response.writeHead(200).end('hello'),
      (response) => void response.writeHead(307, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` }).end(),
    );
    for (let i = 0; i < 2; i++) expect(await client.task('t1')).toMatchObject({ ok: false, problem: { code: 'unreadable' } });
    expect(others).toBe(0);
    elsewhere.close();
  });

  test('sends what it is given, with names as they are and queries in full', async () => {
    const { client, got } = await withReplies(success({}));
    await client.task('a:b~c', '2026-01-01T00:00:00.000Z');
    await client.events('t1', { types: ['TaskFailed', 'TaskCompleted'], order: 'desc', pageSize: 5 });
    await client.cancel('t1', { reason: 'no more' });
    expect(got.map(({ url }) => url)).toEqual([
      '/api/v1/tasks/a%3Ab~c?at=2026-01-01T00%3A00%3A00.000Z',
      '/api/v1/tasks/t1/events?types=TaskFailed%2CTaskCompleted&order=desc&pageSize=5',
      '/api/v1/tasks/t1/cancel',
    ]);
    expect(got[2]?.body).toEqual({ reason: 'no more' });
    expect(got[0]?.key).toBeUndefined();
  });

  test('that claims gets a list, empty when there was nothing', async () => {
    const { client, got } = await withReplies(success([{ executionId: 'e1' }]), (response) => void response.writeHead(204).end());
    expect(dataOf(await client.claim({ types: ['job'] }))).toEqual([{ executionId: 'e1' }]);
    expect(dataOf(await client.claim({ types: ['job'], max: 3 }))).toEqual([]);
    expect(got.map(({ body }) => body)).toEqual([
      { types: ['job'], max: 1 },
      { types: ['job'], max: 3 },
    ]);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { serve } from '@retrigger/gateway/serve.ts';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Door, keyOf, startDoor } from './door.ts';
import { settled } from './fakes.ts';
import { SseReader } from './sse.ts';

const STREAM = '/api/v1/events/stream';
const HOUR_MS = 3_600_000;

describe('the live stream', () => {
  let door: Door;
  const open = async (query = '', as = 'admin', lastEventId?: string, key = keyOf(as)) => {
    const headers = { authorization: `Bearer ${key}`, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) };
    const response = await door.app.request(`http://gateway${STREAM}${query}`, { headers });
    if (response.body === null) throw new Error('no body');
    const reader = new SseReader(response.body);
    onTestFinished(() => reader.cancel());
    return { response, reader };
  };
  const refused = async (query: string, lastEventId?: string, as = 'admin') => {
    const { status, json } = await door.ask(`${STREAM}${query}`, {
      as,
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    });
    return [status, json.errors?.map(({ path }: { path: string }) => path)];
  };
  /** Moves the mark behind everything, and lets the loop look. */
  const markMoves = async () => {
    door.mark = { at: door.mark.at + HOUR_MS, newest: 0 };
    door.clock.advance(200);
    await settled();
  };
  /** A task with events behind the mark. */
  const happens = (taskId: string, types: string[], tenantId = 'default') => door.seed(tenantId, taskId, types, door.mark.at);
  const names = ({ messages }: SseReader) => messages.map(({ data }) => `${data.taskId}${data.sequence}`);

  beforeEach(() => {
    door = startDoor();
    door.seed('default', 'old', ['TaskCreated', 'TaskTriggered']);
    door.mark = { at: door.clock.now() + HOUR_MS, newest: 0 };
  });

  test('begins at once with a comment, then shows what happens from now on, when the mark has passed it', async () => {
    const { response, reader } = await open();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await reader.until(() => reader.comments === 1);
    happens('a', ['TaskCreated', 'TaskTriggered']);
    door.clock.advance(200);
    await settled();
    expect(reader.messages).toEqual([]);
    await markMoves();
    await reader.until(() => reader.messages.length === 2);
    expect(names(reader)).toEqual(['a1', 'a2']);
  });

  test('says in a header where it begins, so that who is cut off before the first event misses nothing (S2)', async () => {
    const { response } = await open('?types=TaskCreated');
    happens('a', ['TaskCreated']);
    await markMoves();
    const { response: again, reader } = await open('', 'admin', response.headers.get('last-event-id') ?? '');
    await reader.until(() => reader.messages.length === 1);
    expect([names(reader), again.headers.get('last-event-id')]).toEqual([['a1'], response.headers.get('last-event-id')]);
  });

  test('shows the wanted types and task only, and no other tenant’s', async () => {
    const readers = await Promise.all([open('?types=TaskCreated'), open('?taskId=b'), open('', 'stranger'), open('', 'viewer')]);
    happens('a', ['TaskCreated', 'TaskTriggered']);
    happens('b', ['TaskCreated', 'TaskTriggered']);
    happens('theirs', ['TaskCreated'], 'other');
    await markMoves();
    const shown = await Promise.all(
      readers.map(async ({ reader }, i) => {
        await reader.until(() => reader.messages.length === [2, 2, 1, 4][i]);
        return names(reader).sort();
      }),
    );
    expect(shown).toEqual([['a1', 'b1'], ['b1', 'b2'], ['theirs1'], ['a1', 'a2', 'b1', 'b2']]);
  });

  test('`Last-Event-ID` goes on behind that event: no gap, no repeat, from the store and then live (S2)', async () => {
    const first = await open();
    happens(
      'a',
      Array.from({ length: 30 }, () => 'TaskTriggered'),
    );
    await markMoves();
    await first.reader.until(() => first.reader.messages.length === 30);
    const cut = first.reader.messages[11];
    await first.reader.cancel();
    happens('b', ['TaskCreated', 'TaskTriggered']);
    await markMoves();
    const second = await open('', 'admin', cut?.id);
    await second.reader.until(() => second.reader.messages.length === 20);
    happens('c', ['TaskCreated']);
    await markMoves();
    await second.reader.until(() => second.reader.messages.length === 21);
    expect(names(second.reader)).toEqual([...Array.from({ length: 18 }, (_, i) => `a${i + 13}`), 'b1', 'b2', 'c1']);
    const filtered = await open('?types=TaskCreated', 'admin', cut?.id);
    await filtered.reader.until(() => filtered.reader.messages.length === 2);
    expect(names(filtered.reader)).toEqual(['b1', 'c1']);
  });

  test('a client that fell behind what is held for all reads the rest from the store (L2)', async () => {
    const [slow, quick] = [await open(), await open()];
    await quick.reader.until(() => quick.reader.comments === 1);
    for (let i = 0; i < 12; i++) {
      happens(
        `t${i}-`,
        Array.from({ length: 700 }, () => 'TaskTriggered'),
      );
      door.mark = { at: door.mark.at + 700 * 60_000, newest: 0 };
      await markMoves();
      await quick.reader.until(() => quick.reader.messages.length === 700 * (i + 1));
    }
    await slow.reader.until(() => slow.reader.messages.length === 8_400);
    expect(names(slow.reader)).toEqual(names(quick.reader));
    expect(new Set(names(slow.reader)).size).toBe(8_400);
  });

  test.each([
    ['every 15 s', 0],
    ['also when the clock is set back (S5)', 300_000],
  ])('a comment comes %s', async (_, setBackMs) => {
    const { reader } = await open();
    for (let n = 1; n <= 4; n++) {
      await reader.until(() => reader.comments === n);
      const next = reader.until(() => reader.comments === n + 1);
      await settled();
      door.clock.set(door.clock.now() - setBackMs);
      door.clock.advance(15_000);
      await next;
    }
    expect(reader.comments).toBe(5);
  });

  test('a client that takes nothing for 30 s is dropped; one that waits for events is not (S1)', async () => {
    const [slow, patient] = [await open(), await open()];
    for (const { reader } of [slow, patient]) await reader.until(() => reader.comments === 1);
    const waiting = patient.reader.until(() => false);
    happens('a', ['TaskCreated']);
    await markMoves();
    for (let i = 0; i < 3; i++) {
      door.clock.advance(15_000);
      await settled();
    }
    await slow.reader.until(() => false);
    expect([slow.reader.ended, slow.reader.messages.length]).toEqual(['eof', 0]);
    expect([patient.reader.ended, patient.reader.messages.length, patient.reader.comments]).toEqual([null, 1, 4]);
    await patient.reader.cancel();
    await waiting;
  });

  test('a socket that is not read is cut off, and what is held for it is bounded (S1)', async () => {
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    onTestFinished(() => served.stop(0));
    const socket = connect(served.port, '127.0.0.1', () =>
      socket.write(`GET ${STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keyOf('admin')}\r\n\r\n`),
    );
    await once(socket, 'readable');
    const page = vi.spyOn(door.deps.events, 'pageOfTenant');
    happens(
      'a',
      Array.from({ length: 1_000 }, () => 'TaskTriggered'),
    );
    for (const stored of door.events) {
      stored.event.metadata = { padding: 'x'.repeat(20_000) };
      stored.json = JSON.stringify(stored.event);
    }
    door.mark = { at: door.mark.at + 1_000 * 60_000, newest: 0 };
    await markMoves();
    for (let before = -1; page.mock.calls.length > before; ) {
      before = page.mock.calls.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [pages, closed] = [page.mock.calls.length, once(socket, 'close')];
    door.clock.advance(30_000);
    socket.resume();
    await closed;
    expect(page.mock.calls.length - pages, 'pages read for it after it stopped reading').toBeLessThan(10);
  });

  test.each([
    ['an event', 4_000],
    ['a comment', 15_000],
  ])('a key that was revoked shows nothing more: instead of %s it is hung up on (S4)', async (_, ms) => {
    const { json } = await door.post('/api/v1/api-keys', { userId: 'ann', roles: ['viewer'] });
    const { reader } = await open('', 'admin', undefined, json.data.key);
    await reader.until(() => reader.comments === 1);
    happens('a', ['TaskCreated']);
    await markMoves();
    await reader.until(() => reader.messages.length === 1);
    await door.ask(`/api/v1/api-keys/${json.data.id}`, { method: 'DELETE' });
    const ended = reader.until(() => false);
    await settled();
    door.clock.advance(ms);
    if (ms < 15_000) happens('b', ['TaskCreated']);
    await markMoves();
    await ended;
    expect([reader.ended, names(reader), reader.comments]).toEqual(['eof', ['a1'], 1]);
  });

  test('nothing is looked for when nobody listens (V1)', async () => {
    const { reader } = await open();
    await reader.until(() => reader.comments === 1);
    await settled();
    expect(door.clock.armed).toBeGreaterThan(0);
    await reader.cancel();
    await settled();
    expect(door.clock.armed).toBe(0);
  });

  test('a HEAD is told what a client would be, and is no client (V1)', async () => {
    const { status, headers, text } = await door.ask(STREAM, { method: 'HEAD' });
    expect([status, headers.get('content-type'), text]).toEqual([200, 'text/event-stream', '']);
    await settled();
    expect(door.clock.armed).toBe(0);
  });

  test('an id that was altered, or another tenant’s, a wrong type and an unknown parameter are refused by name', async () => {
    const { reader } = await open();
    happens('a', ['TaskCreated']);
    await markMoves();
    await reader.until(() => reader.messages.length === 1);
    const id = reader.messages[0]?.id ?? '';
    expect(await refused('', `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`)).toEqual([400, ['Last-Event-ID']]);
    expect(await refused('', id, 'stranger')).toEqual([400, ['Last-Event-ID']]);
    expect(await refused('', 'nonsense')).toEqual([400, ['Last-Event-ID']]);
    expect(await refused('?types=TaskExploded')).toEqual([400, ['types']]);
    expect(await refused('?taskId=a%20b')).toEqual([400, ['taskId']]);
    expect(await refused('?from=2026-01-01')).toEqual([400, ['from']]);
    expect((await refused('', undefined, 'executor'))[0]).toBe(403);
  });

  test('ends when the server stops, at once (S3)', async () => {
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    const response = await fetch(`${served.url}${STREAM}`, { headers: { authorization: `Bearer ${keyOf('admin')}` } });
    const reader = new SseReader(response.body as ReadableStream<Uint8Array>);
    await reader.until(() => reader.comments === 1);
    const begun = performance.now();
    await Promise.all([served.stop(20_000), reader.until(() => false)]);
    expect(reader.ended).toBe('eof');
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

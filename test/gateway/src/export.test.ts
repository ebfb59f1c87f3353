import { connect } from 'node:net';
import type { StoredEvent } from '@retrigger/domain/event.ts';
import { sealedForm } from '@retrigger/domain/privacy/sealed-form.ts';
import { exportReply } from '@retrigger/gateway/event-export.ts';
import { serve } from '@retrigger/gateway/serve.ts';
import { eventsOf } from '@retrigger/gateway/stored-history.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Door, keyOf, startDoor } from './door.ts';
import { eventsIn } from './fake-events.ts';
import { settled } from './fakes.ts';

const EVENTS = '/api/v1/tasks/t/events';
const TYPES = ['TaskCreated', 'TaskTriggered', 'TaskStarted', 'TaskCompleted', 'TaskTriggered', 'CommandRefused', 'TaskFailed'];

/** Reads CSV as RFC 4180 has it, and nothing else. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (found === null) throw new Error('no CSV');
    row.push(found[1] === undefined ? (found[2] ?? '') : found[1].replaceAll('""', '"'));
    if (found[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('a history as a file', () => {
  let door: Door;
  beforeEach(() => {
    door = startDoor();
    door.seed('default', 't', TYPES);
  });

  test('JSON Lines hold the very events that were hashed, one a line, with the names of who acted', async () => {
    const { status, text, headers } = await door.ask(`${EVENTS}?format=jsonl`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/jsonl']);
    expect(headers.get('content-disposition')).toBe('attachment; filename="t-events.jsonl"');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => sealedForm(JSON.parse(line)))).toEqual(door.events.map(({ event }) => event));
    expect(lines.map((line) => JSON.parse(line).actor.id)).toEqual(TYPES.map(() => 'admin'));
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('CSV has a line of names and a line an event', async () => {
    const { text, headers } = await door.ask(`${EVENTS}?format=csv`);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const [names = [], ...rows] = readCsv(text);
    expect(names.slice(0, 5)).toEqual(['sequence', 'eventId', 'eventType', 'schemaVersion', 'timestamp']);
    expect(rows.map((row) => row[names.indexOf('eventType')])).toEqual(TYPES);
    expect(rows.map((row) => row[names.indexOf('hash')])).toEqual(door.events.map(({ event }) => event.hash));
  });

  test('filters and order hold, and nothing else is among them', async () => {
    const { text } = await door.ask(`${EVENTS}?format=jsonl&types=TaskTriggered&order=desc`);
    const sequences = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).sequence]));
    expect(sequences).toEqual([5, 2]);
    expect((await door.ask(`${EVENTS}?format=csv&actor=nobody`)).text.split('\r\n')).toHaveLength(2);
  });

  test('what a spreadsheet would take for a formula is a text, and quotes and line ends stay inside their field (X1, X2)', async () => {
    const [stored] = door.events as [StoredEvent];
    const given = ['=cmd|calc!A1', '+1', '-2', '@SUM(A1)', '\tx', 'a"b', 'two\r\nlines', 'a,b'];
    const lines = given.map((correlationId) => ({ ...stored, event: { ...stored.event, correlationId, metadata: { x: correlationId } } }));
    const chunks = async function* () {
      yield lines;
    };
    const { body } = await exportReply('csv', 't', chunks(), silent);
    const [names = [], ...rows] = readCsv(await new Response(body).text());
    const shown = rows.map((row) => row[names.indexOf('correlationId')]);
    expect(shown).toEqual(["'=cmd|calc!A1", "'+1", "'-2", "'@SUM(A1)", "'\tx", 'a"b', 'two\r\nlines', 'a,b']);
    expect(rows.map((row) => JSON.parse(row[names.indexOf('metadata')] ?? '').x)).toEqual(given);
  });

  /** A store of a million events, of which none hides anything, that counts what it is asked for. */
  const endless = (json: string) => {
    const [stored] = door.events as [StoredEvent];
    const asked: number[] = [];
    const page: Parameters<typeof eventsOf>[0]['page'] = async (_key, _filter, { after, limit }) => {
      asked.push(limit);
      const event = { ...stored.event, actor: { id: 'scheduler', type: 'system' as const } };
      return Array.from({ length: limit }, (_, i) => ({ ...stored, json, event: { ...event, sequence: (after ?? 0) + i + 1 } }));
    };
    return { page, asked };
  };

  test('the next chunk is read when the one before was taken; chunks are smaller when events are large (X3, W1)', async () => {
    const { page, asked } = endless('x'.repeat(100_000));
    const { body } = await exportReply('jsonl', 't', eventsOf({ page }, 't', {}), silent);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await settled();
    expect(asked).toHaveLength(1);
    for (let i = 2; i <= 4; i++) {
      await reader.read();
      await settled();
      expect(asked.length).toBeLessThanOrEqual(i);
    }
    expect(asked.slice(1).every((limit) => limit === 10)).toBe(true);
    await reader.cancel();
    await settled();
    const last = asked.length;
    await settled();
    expect(asked).toHaveLength(last);
  });

  test('a client that does not read stops the reading, one that hangs up ends it', async () => {
    const { page, asked } = endless('x'.repeat(100_000));
    door = startDoor({ deps: { events: { ...eventsIn([]), page } } });
    door.seed('default', 't', ['TaskCreated']);
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    onTestFinished(() => served.stop(0));
    const socket = connect(served.port, '127.0.0.1', () => {
      socket.pause();
      socket.write(`GET ${EVENTS}?format=jsonl HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keyOf('admin')}\r\n\r\n`);
    });
    let before = -1;
    for (const end = performance.now() + 20_000; asked.length > before || asked.length === 0; ) {
      if (performance.now() > end) throw new Error('it reads on and on');
      before = asked.length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const held = asked.reduce((sum, limit) => sum + limit, 0) * 100_000;
    expect(held, 'what is in the sockets and one chunk').toBeLessThan(40_000_000);
    socket.destroy();
    await settled(50);
    expect(asked.length).toBeLessThanOrEqual(before + 2);
  });

  test('a store that fails before the first event is a problem; later it cuts the file off', async () => {
    let pages = 0;
    const { page } = endless('{}');
    const failing: typeof page = async (...asked) => {
      if (pages++ > 0) throw new Error('disk');
      return page(...asked);
    };
    door = startDoor({ deps: { events: { ...eventsIn([]), page: failing } } });
    door.seed('default', 't', ['TaskCreated']);
    const served = await serve(door.app.fetch, { host: '127.0.0.1', port: 0 });
    if (served.kind !== 'listening') throw new Error(served.message);
    onTestFinished(() => served.stop(0));
    const headers = { authorization: `Bearer ${keyOf('admin')}` };
    const cut = fetch(`${served.url}${EVENTS}?format=jsonl`, { headers }).then((response) => response.text());
    await expect(cut).rejects.toThrow();
    expect((await fetch(`${served.url}${EVENTS}?format=jsonl`, { headers })).status).toBe(503);
  });
});

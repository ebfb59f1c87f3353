import { deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { ASKED_DELIVERIES } from '@retrigger/engine/deliveries.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import { type LogRecord, type NewRecord, TOPICS } from '@retrigger/ports/log.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Asked, type Door, startDoor } from './door.ts';

const PATH = '/api/v1/dead-letters';
type Letter = { id: string; kind: string; bytes: string; reason: string; history: unknown[] };

describe('dead letters at the door', () => {
  let door: Door;
  let documents: MemoryDocumentStore;
  let appended: { topic: string; records: NewRecord[] }[];
  let isAway: boolean;

  beforeEach(() => {
    documents = new MemoryDocumentStore();
    appended = [];
    isAway = false;
    const append = async (topic: string, records: NewRecord[]) => {
      if (isAway) throw new Error('the log is away');
      appended.push({ topic, records });
    };
    door = startDoor({ deps: { documents, log: { append, partitionOf: () => 0, partitionCount: () => 1 } } });
  });

  /** Gives a record up as a worker does, and collects it as the notifier does. */
  const giveUp = (key: string, offset: number, more: Partial<LogRecord> = {}): Promise<void> => {
    const record = {
      topic: TOPICS.work,
      partition: 3,
      offset,
      at: 1_000 + offset,
      key,
      value: Buffer.from(`bytes of ${offset}`),
      headers: { traceparent: 't' },
      ...more,
    };
    return deadLettersIn(documents).collect({
      ...deadLetter(record, 'unreadable'),
      topic: TOPICS.deadLetters,
      partition: 0,
      offset: 900 + offset,
      at: 5_000,
    });
  };
  const list = async (query = '', as = 'admin'): Promise<Letter[]> => (await door.ask(`${PATH}${query}`, { as })).json.data.deadLetters;
  const post = (id: string | undefined, action: string, asked: Asked = {}) =>
    door.ask(`${PATH}/${id}/${action}`, { method: 'POST', ...asked });

  test('a record that was given up twice, or read twice, is one, with its reason and bytes', async () => {
    await giveUp('default/t', 7);
    await giveUp('default/t', 7);
    const [letter, ...others] = await list();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      kind: 'command',
      state: 'open',
      taskId: 't',
      reason: 'unreadable',
      attempts: 1,
      at: '1970-01-01T00:00:01.007Z',
    });
    expect(letter).toMatchObject({ headers: { traceparent: 't' }, history: [] });
    expect(Buffer.from(letter?.bytes ?? '', 'base64').toString()).toBe('bytes of 7');
    expect(JSON.stringify(letter)).not.toMatch(/offset|partition/);
  });

  test('an admin sees those of the own tenant; what proves none only the admins of default', async () => {
    await giveUp('default/t', 1);
    await giveUp('other/t', 2);
    await giveUp('other/t', 3, { topic: 'retrigger.commands' });
    await giveUp('nobody', 4);
    expect((await list()).map(({ kind }) => kind)).toEqual(['command', 'unknown', 'command']);
    const theirs = await list('', 'stranger');
    expect(theirs.map(({ kind }) => kind)).toEqual(['command']);
    expect((await post(theirs[0]?.id, 'drop', { body: { reason: 'x' } })).json.code).toBe('not_found');
    expect((await post((await list())[0]?.id, 'redrive', { as: 'stranger' })).json.code).toBe('not_found');
    for (const as of ['viewer', 'executor']) expect((await door.ask(PATH, { as })).json.code).toBe('forbidden');
  });

  test('pages walk over all of them once, oldest first', async () => {
    for (let i = 0; i < 45; i++) await giveUp(i % 3 === 0 ? 'nobody' : 'default/t', i);
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { data } = (await door.ask(`${PATH}?pageSize=7&cursor=${cursor}`)).json;
      seen.push(...data.deadLetters.map(({ bytes }: Letter) => Buffer.from(bytes, 'base64').toString()));
      expect(data.pageInfo.hasMore).toBe(data.pageInfo.nextCursor !== null);
      if (!data.pageInfo.hasMore) break;
      cursor = data.pageInfo.nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: 45 }, (_, i) => `bytes of ${i}`));
    expect((await door.ask(`${PATH}?cursor=nonsense`)).json.errors[0].path).toBe('cursor');
    expect((await door.ask(`${PATH}?state=lost`)).json.errors[0].path).toBe('state');
  });

  test('a command that is redriven stands in the work log again, byte for byte; who did it is kept', async () => {
    await giveUp('default/t', 7);
    const [letter] = await list();
    const headers = { 'idempotency-key': 'again' };
    const first = await post(letter?.id, 'redrive', { headers });
    expect([first.status, first.json.data]).toEqual([202, { id: letter?.id, action: 'redriven' }]);
    expect((await post(letter?.id, 'redrive', { headers })).text).toBe(first.text);
    expect(appended).toEqual([
      { topic: TOPICS.work, records: [{ key: 'default/t', value: Buffer.from('bytes of 7'), headers: { traceparent: 't' } }] },
    ]);
    expect(await list()).toEqual([]);
    const commandId = first.headers.get('x-command-id');
    expect((await list('?state=closed'))[0]?.history).toEqual([
      { action: 'redriven', by: 'admin', at: '2026-03-04T05:06:07.008Z', commandId },
    ]);
    await giveUp('default/t', 7); // the collector reads it again
    expect(await list()).toEqual([]);
  });

  test('one that could not be redriven is still open, says who tried, and can be redriven', async () => {
    await giveUp('default/t', 7);
    const [letter] = await list();
    isAway = true;
    expect((await post(letter?.id, 'redrive')).status).toBe(503);
    expect(await list()).toMatchObject([{ id: letter?.id, history: [{ action: 'redriven' }] }]);
    isAway = false;
    expect((await post(letter?.id, 'redrive')).status).toBe(202);
    expect(appended).toHaveLength(1);
  });

  test('what came from outside is dropped, not redriven', async () => {
    await giveUp('default/t', 7, { topic: 'retrigger.commands' });
    const [letter] = await list();
    expect((await post(letter?.id, 'redrive')).json.code).toBe('invalid_state');
    expect((await post(letter?.id, 'drop', { body: { reason: 'forged' } })).status).toBe(200);
    expect((await post(letter?.id, 'drop', { body: { reason: 'again' } })).json.detail).toBe('It was dropped already');
    expect(appended).toEqual([]);
  });

  test('a notification that is redriven is asked for once; of a subscription that is gone it is not', async () => {
    const { json } = await door.post('/api/v1/subscriptions', { channel: 'webhook', url: 'https://example.org/' });
    const undelivered = (subscription: string, offset: number) =>
      giveUp('default/t', offset, { topic: TOPICS.events, headers: { subscription, delivery: 'd', sequence: '4', attempts: '7' } });
    await undelivered(json.data.id, 1);
    await undelivered('sub_gone', 2);
    const [here, gone] = await list();
    expect(here).toMatchObject({ kind: 'notification', subscriptionId: json.data.id, sequence: 4, attempts: 7, taskId: 't' });
    expect((await post(here?.id, 'redrive', { headers: { 'idempotency-key': 'k' } })).status).toBe(202);
    expect((await post(gone?.id, 'redrive')).json).toMatchObject({
      code: 'invalid_state',
      detail: 'Its subscription does not exist any more',
    });
    const asked = await documents.listAll(ASKED_DELIVERIES, null, 10);
    expect(asked.map(({ body }) => body)).toMatchObject([
      { subscriptionId: json.data.id, event: { key: 'default/t', sequence: 4 }, attempts: 0 },
    ]);
  });
});

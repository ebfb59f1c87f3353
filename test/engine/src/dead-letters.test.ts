import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { type LogRecord, TOPICS } from '@retrigger/ports/log.ts';
import { describe, expect, test } from 'vitest';
import { FakeStores } from './fake-stores.ts';
import { command, inLog, MORNING, Owner } from './owner.ts';

const create = (id: string) => command(id, id, { type: 'CreateTask', body: { type: 'job' } });

/** Three records, the second of which is spoiled. */
function taken(spoil: (record: LogRecord) => LogRecord) {
  const [stores, records] = [new FakeStores(), inLog([create('a'), create('b'), create('c')])];
  const owner = new Owner(stores);
  const spoiled = records.map((record) => (record.offset === 1 ? spoil(record) : record));
  return { stores, owner, done: owner.take(spoiled) };
}

const deadLetters = (owner: Owner) => owner.appended.flatMap(({ topic, record }) => (topic === TOPICS.deadLetters ? [record] : []));

describe('a record that can not be read', () => {
  const bytes = Buffer.from([0xff, 0x00, 0x7b]);

  test('goes to the dead letters with its bytes, its place and the reason', async () => {
    const { owner, done } = taken((record) => ({ ...record, value: bytes, headers: { traceparent: 'as-it-was' } }));
    await done;
    expect(deadLetters(owner)).toEqual([
      {
        key: 'acme/b',
        value: bytes,
        headers: {
          traceparent: 'as-it-was',
          reason: 'it is not JSON',
          'source-topic': TOPICS.work,
          'source-partition': '0',
          'source-offset': '1',
          at: new Date(MORNING + 1).toISOString(),
        },
      },
    ]);
  });

  test('keeps its key in bytes where that is no text', async () => {
    const keyBytes = Buffer.from([0xff, 0x41]);
    const { owner, done } = taken((record) => ({ ...record, key: '\ufffdA', keyBytes, value: bytes }));
    await done;
    expect(deadLetters(owner)).toMatchObject([{ key: '\ufffdA', keyBytes, value: bytes }]);
  });

  test('holds nobody up', async () => {
    const { stores, owner, done } = taken((record) => ({ ...record, value: bytes }));
    await done;
    expect([...stores.streams.keys()]).toEqual(['acme/a', 'acme/c']);
    expect(owner.committed).toEqual([3]);
  });

  test('is one whose key is not its task’s, too: another task’s order must not depend on it', async () => {
    const { stores, owner, done } = taken((record) => ({ ...record, key: 'acme/other' }));
    await done;
    expect(deadLetters(owner).map(({ key, headers }) => [key, headers.reason])).toEqual([['acme/other', "the record's key is not acme/b"]]);
    expect(stores.streams.has('acme/b')).toBe(false);
  });
});

test('a dead letter fits into its topic, whatever was large about the record (L1)', () => {
  const most = 4 * 1024 * 1024;
  const record = { topic: 't', partition: 1, offset: 2, at: 0, key: 'k', value: Buffer.from('v'), headers: { own: 'h' } };
  for (const large of [{ value: Buffer.alloc(most) }, { key: 'é'.repeat(most / 2) }, { headers: { own: 'x'.repeat(most) } }]) {
    const { key, value, headers } = deadLetter({ ...record, ...large }, 'why');
    const bytes = Buffer.byteLength(key) + value.byteLength + Buffer.byteLength(JSON.stringify(headers));
    expect(bytes).toBeLessThan(most - 8_000);
    expect(headers.reason).toBe('why (too large to be kept whole)');
  }
  expect(deadLetter({ ...record, value: Buffer.alloc(most - 20_000) }, 'why')).toMatchObject({ headers: { own: 'h', reason: 'why' } });
});

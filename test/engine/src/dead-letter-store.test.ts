import { type Closing, type DeadLetter, deadLettersIn } from '@retrigger/engine/dead-letter-store.ts';
import { deadLetter } from '@retrigger/engine/dead-letters.ts';
import { MemoryDocumentStore } from '@retrigger/memory/memory-document-store.ts';
import type { DocumentStore } from '@retrigger/ports/document-store.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import { beforeEach, describe, expect, test } from 'vitest';

const GIVEN_UP = { topic: TOPICS.work, partition: 0, offset: 7, at: 1_000, key: 'acme/t', value: Buffer.from('x'), headers: {} };
const RECORD = { ...deadLetter(GIVEN_UP, 'why'), topic: TOPICS.deadLetters, partition: 0, offset: 1, at: 2_000 };
const NOTHING = async () => {};
const by = (commandId: string): Closing => ({ action: 'dropped', by: commandId, at: '', reason: 'x', commandId });

describe('a dead letter', () => {
  let documents: MemoryDocumentStore;
  let letter: DeadLetter;
  /** For somebody whose operations a test holds in its hands. */
  const store = (over: Partial<DocumentStore> = {}) =>
    deadLettersIn({
      ...{ read: documents.read.bind(documents), list: documents.list.bind(documents), listAll: documents.listAll.bind(documents) },
      ...{ write: documents.write.bind(documents), make: documents.make.bind(documents), remove: documents.remove.bind(documents) },
      ...over,
    });
  const all = async () => ({
    open: (await store().list('acme', 'open', null, 9)).length,
    closed: (await store().list('acme', 'closed', null, 9)).map(({ history }) => history.map(({ commandId }) => commandId)),
  });
  beforeEach(async () => {
    documents = new MemoryDocumentStore();
    await store().collect(RECORD);
    const [found] = await store().list('acme', 'open', null, 1);
    letter = found as DeadLetter;
  });

  test('that is closed while a collector that stood still reads it again is not open anew (Z3)', async () => {
    const write: DocumentStore['write'] = async (document) => {
      await store().close(letter, by('ann'), NOTHING);
      return documents.write(document);
    };
    await store({ write }).collect(RECORD);
    expect(await all()).toEqual({ open: 0, closed: [['ann']] });
  });

  test('whose closing dies at its end is closed for whoever comes next (Z3)', async () => {
    const remove = () => Promise.reject(new Error('killed'));
    await expect(store({ remove }).close(letter, by('ann'), NOTHING)).rejects.toThrow('killed');
    expect(await store().find('acme', letter.id)).toMatchObject({ isOpen: false, letter: { history: [{ commandId: 'ann' }] } });
    expect(await all()).toEqual({ open: 0, closed: [['ann']] });
  });

  test('keeps what both of two have done about it who close it at once (Z2)', async () => {
    const [annGoesOn, bobGoesOn, bobActs] = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const ann = store().close(letter, by('ann'), () => annGoesOn.promise);
    const bob = store().close(letter, by('bob'), () => {
      bobActs.resolve();
      return bobGoesOn.promise;
    });
    await bobActs.promise;
    annGoesOn.resolve();
    expect(await ann).toBe('closed');
    bobGoesOn.resolve();
    expect(await bob).toBe('closed');
    expect(await all()).toEqual({ open: 0, closed: [['ann', 'bob']] });
  });
});

import { setImmediate as immediate } from 'node:timers/promises';
import type { Document, DocumentStore } from '@retrigger/ports/document-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { unique } from './eventually.ts';

export type DocumentStoreAdapter = {
  open(): Promise<{ documents: DocumentStore; close(): Promise<void> }>;
  timeoutMs: number;
};

/** The document-store port's definition: D1, D2, D3, lists. */
export function documentStoreContract(name: string, adapter: DocumentStoreAdapter): void {
  const open = async (): Promise<DocumentStore> => {
    const { documents, close } = await adapter.open();
    onTestFinished(close);
    return documents;
  };
  const sample = (more: Partial<Document> = {}): Document => ({
    kind: unique('kind'),
    tenantId: 'acme',
    id: 'one',
    version: 1,
    body: { text: 'déjà vu 🚀', 'a.b': { $set: [1, null, true] } },
    ...more,
  });

  describe(`${name} document store`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('a document comes out as it went in; one that does not exist is undefined (D2)', async () => {
      const documents = await open();
      const one = sample();
      expect(await documents.write(one)).toBe('written');
      expect(await documents.read(one.kind, 'acme', 'one')).toEqual(one);
      expect(await documents.read(one.kind, 'acme', 'two')).toBeUndefined();
      expect(await documents.read(one.kind, 'other', 'one')).toBeUndefined();
      expect(await documents.read(unique('kind'), 'acme', 'one')).toBeUndefined();
    });

    test('it is changed only over the version that the writer saw (D1)', async () => {
      const documents = await open();
      const one = sample();
      expect(await documents.write({ ...one, version: 2 })).toBe('conflict');
      await documents.write(one);
      expect(await documents.write({ ...one, body: { other: 1 } })).toBe('conflict');
      expect(await documents.write({ ...one, version: 3 })).toBe('conflict');
      expect(await documents.write({ ...one, version: 2, body: { changed: true } })).toBe('written');
      expect(await documents.write({ ...one, version: 2, body: { late: true } })).toBe('conflict');
      expect(await documents.read(one.kind, 'acme', 'one')).toEqual({ ...one, version: 2, body: { changed: true } });
    });

    test('of many that write at once over one version, one does (D1)', async () => {
      const documents = await open();
      const one = sample();
      const bodies = Array.from({ length: 10 }, (_, i) => ({ writer: i }));
      const told = await Promise.all(bodies.map((body) => documents.write({ ...one, body })));
      expect(told.filter((outcome) => outcome === 'written')).toHaveLength(1);
      expect((await documents.read(one.kind, 'acme', 'one'))?.body).toEqual(bodies[told.indexOf('written')]);
    });

    const many = (kind: string, count: number): Document[] =>
      Array.from({ length: count }, (_, i) => sample({ kind, id: String(i).padStart(4, '0'), body: { i } }));
    const idsOf = (some: Document[]): string[] => some.map(({ id }) => id);

    test('those that are made together are told apart: one that is there already holds up none behind it (D1)', async () => {
      const documents = await open();
      const all = many(unique('kind'), 7);
      const other = (i: number): Document => ({ ...all[i], body: { other: i } }) as Document;
      expect(await documents.make([])).toEqual([]);
      for (const i of [0, 3, 4]) await documents.write(other(i));
      expect(await documents.make(all)).toEqual(['conflict', 'written', 'written', 'conflict', 'conflict', 'written', 'written']);
      const kept = all.map((one, i) => ([0, 3, 4].includes(i) ? other(i) : one));
      expect(await documents.list(all[0]?.kind ?? '', 'acme', null, 10)).toEqual(kept);
    });

    test('of those that are made together nobody sees one without those before it (D3)', async () => {
      const documents = await open();
      const all = many(unique('kind'), 400);
      const looks = { isOver: false, seen: [] as string[][] };
      const looking = (async () => {
        for (; !looks.isOver; await immediate()) looks.seen.push(idsOf(await documents.list(all[0]?.kind ?? '', 'acme', null, 1_000)));
      })();
      expect(new Set(await documents.make(all))).toEqual(new Set(['written']));
      looks.isOver = true;
      await looking;
      for (const seen of looks.seen) expect(seen).toEqual(idsOf(all.slice(0, seen.length)));
    });

    test('of two that make the same at once, each is made by one (D1)', async () => {
      const documents = await open();
      const all = many(unique('kind'), 50);
      const by = (writer: number) => all.map((one) => ({ ...one, body: { writer } }));
      const [first, second] = await Promise.all([documents.make(by(0)), documents.make(by(1))]);
      const stored = await documents.list(all[0]?.kind ?? '', 'acme', null, 100);
      expect(idsOf(stored)).toEqual(idsOf(all));
      for (const [i, { body }] of stored.entries())
        expect([first?.[i], second?.[i]]).toEqual(body.writer === 0 ? ['written', 'conflict'] : ['conflict', 'written']);
    });

    test('a tenant’s list is in id order, goes on behind a place, and has nobody else’s', async () => {
      const documents = await open();
      const kind = unique('kind');
      for (const id of ['c', 'a~', 'B', 'a', 'a-b']) await documents.write(sample({ kind, id }));
      await documents.write(sample({ kind, tenantId: 'acme-2', id: 'b' }));
      await documents.write(sample({ kind: `${kind}2`, id: 'b' }));
      const ids = async (after: string | null, limit: number) => (await documents.list(kind, 'acme', after, limit)).map(({ id }) => id);
      expect(await ids(null, 10)).toEqual(['B', 'a', 'a-b', 'a~', 'c']);
      expect(await ids(null, 2)).toEqual(['B', 'a']);
      expect(await ids('a', 2)).toEqual(['a-b', 'a~']);
      expect(await ids('a~', 10)).toEqual(['c']);
      expect(await ids('c', 10)).toEqual([]);
    });

    test('a list that was found empty has what is written into it afterwards', async () => {
      const documents = await open();
      const one = sample();
      const list = async () => (await documents.list(one.kind, 'acme', null, 10)).map(({ id }) => id);
      expect(await list()).toEqual([]);
      await documents.write({ ...one, tenantId: 'other' });
      expect(await list()).toEqual([]);
      await documents.write(one);
      expect(await list()).toEqual(['one']);
      await documents.remove(one.kind, 'acme', 'one');
      expect([await list(), await list()]).toEqual([[], []]);
      await documents.write(one);
      expect(await list()).toEqual(['one']);
    });

    test('the list over all tenants has each document once, however small its pages are', async () => {
      const documents = await open();
      const kind = unique('kind');
      const names: string[] = [];
      for (const tenantId of ['acme', 'acme-2', 'acme.x', 'B'])
        for (const id of ['1', '2', '~']) {
          await documents.write(sample({ kind, tenantId, id }));
          names.push(`${tenantId}/${id}`);
        }
      await documents.write(sample({ kind: `${kind}-2` }));
      const seen: string[] = [];
      for (let after: Document | null = null; ; ) {
        const page: Document[] = await documents.listAll(kind, after, 5);
        seen.push(...page.map(({ tenantId, id }) => `${tenantId}/${id}`));
        after = page.at(-1) ?? null;
        if (page.length < 5) break;
      }
      expect(seen.toSorted()).toEqual(names.toSorted());
    });

    test('a removed one is gone, is told apart from one that never was, and can be made anew', async () => {
      const documents = await open();
      const one = sample();
      await documents.write(one);
      expect(await documents.remove(one.kind, 'acme', 'one')).toBe(true);
      expect(await documents.remove(one.kind, 'acme', 'one')).toBe(false);
      expect(await documents.read(one.kind, 'acme', 'one')).toBeUndefined();
      expect(await documents.write(one)).toBe('written');
    });
  });
}

import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { KeyRecord, KeyStore } from '@retrigger/ports/key-store.ts';
import { describe, expect, onTestFinished, test } from 'vitest';

export type KeyStoreAdapter = {
  open(): Promise<{ keys: KeyStore; close(): Promise<void> }>;
  /** A new path, and the store opened on it: for stores that keep files, of whose bytes nothing may stay. */
  openAt?: { path(): string; open(path: string): Promise<{ keys: KeyStore; close(): Promise<void> }> };
  timeoutMs: number;
};

const text = (bytes: number): string => randomBytes(bytes).toString('base64url');
const record = (more: Partial<KeyRecord> = {}): KeyRecord => ({ id: text(32), token: `u_${text(16)}`, secret: text(60), ...more });

/** The key-store port's definition: K1 to K3. */
export function keyStoreContract(name: string, adapter: KeyStoreAdapter): void {
  const open = async () => {
    const opened = await adapter.open();
    onTestFinished(opened.close);
    return opened;
  };

  describe(`${name} key store`, { timeout: adapter.timeoutMs * 4 }, () => {
    test('a record is found by its id and by its token; one that does not exist is not', async () => {
      const { keys } = await open();
      const [a, b, c] = [record(), record(), record()];
      expect([await keys.obtain(a), await keys.obtain(b)]).toEqual([a, b]);
      expect([await keys.find(a.id), await keys.find(c.id)]).toEqual([a, undefined]);
      expect(await keys.byTokens([a.token, b.token, c.token])).toEqual(new Map([a, b].map((one) => [one.token, one])));
      expect(await keys.byTokens([])).toEqual(new Map());
    });

    test('of several records with one id the first stays, also of many at once, and everybody is given that one (K1)', async () => {
      const { keys } = await open();
      const { id } = record();
      const given = await Promise.all(Array.from({ length: 10 }, () => keys.obtain(record({ id }))));
      expect(new Set(given.map(({ token }) => token)).size).toBe(1);
      expect(await keys.obtain(record({ id }))).toEqual(given[0]);
      expect(await keys.find(id)).toEqual(given[0]);
    });

    test('what is destroyed is not found any more, another may take its place, and destroying it again is no error (K3)', async () => {
      const { keys } = await open();
      const [first, other] = [await keys.obtain(record()), await keys.obtain(record())];
      await keys.destroy(first.token);
      expect([await keys.find(first.id), await keys.byTokens([first.token])]).toEqual([undefined, new Map()]);
      const second = record({ id: first.id });
      expect(await keys.obtain(second)).toEqual(second);
      await keys.destroy(first.token);
      expect([await keys.find(first.id), await keys.find(other.id)]).toEqual([second, other]);
    });

    const { openAt } = adapter;
    if (openAt === undefined) return;

    test('no file holds any part of what was destroyed, however often records came and went (K3)', async () => {
      const path = openAt.path();
      const { keys, close } = await openAt.open(path);
      onTestFinished(close);
      const live: KeyRecord[] = [];
      const destroyed: KeyRecord[] = [];
      for (let i = 0; i < 100; i++) {
        const made = Array.from({ length: 20 }, () => record());
        live.push(...(await Promise.all(made.map((one) => keys.obtain(one)))));
        const gone = Array.from({ length: randomInt(20) }, () => live.splice(randomInt(live.length), 1)).flat();
        await Promise.all(gone.map(({ token }) => keys.destroy(token)));
        destroyed.push(...gone);
      }
      const bytes = bytesBeside(path);
      expect(live.every((one) => Object.values(one).every((part) => bytes.includes(part)))).toBe(true);
      expect(destroyed.flatMap((one) => Object.values(one)).filter((part) => bytes.includes(part))).toEqual([]);
    });
  });
}

/** Of the file and of everything that its name is the beginning of: journals. */
function bytesBeside(path: string): Buffer {
  const folder = dirname(path);
  const names = readdirSync(folder).filter((name) => name.startsWith(basename(path)));
  return Buffer.concat(names.map((name) => readFileSync(join(folder, name))));
}

import { createHmac, randomBytes } from 'node:crypto';
import { isMasterKeyOf } from '@retrigger/engine/master-key.ts';
import { MemoryKeyStore } from '@retrigger/memory/memory-key-store.ts';
import { expect, test } from 'vitest';

const secrets = (of: string) => ({ derive: (...parts: (string | number)[]) => createHmac('sha256', of).update(parts.join('\n')).digest() });
const [ONE, TWO] = [secrets('one'), secrets('two')];

test('the first master key that a store is used with is its own, however many processes ask at once', async () => {
  const keys = new MemoryKeyStore();
  const ask = (master: typeof ONE) => isMasterKeyOf({ keys, secrets: master, freshBytes: randomBytes });
  expect(await Promise.all([ask(ONE), ask(ONE), ask(ONE)])).toEqual([true, true, true]);
  expect(await ask(TWO)).toBe(false);
  expect(await ask(ONE)).toBe(true);
  expect(await isMasterKeyOf({ keys: new MemoryKeyStore(), secrets: TWO, freshBytes: randomBytes })).toBe(true);
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { LaneTails } from '@retrigger/sqlite/lane-tails.ts';
import { expect, test } from 'vitest';

const MOST_BYTES = 512 * 1024;
const record = (offset: number, bytes: number): LogRecord => ({
  ...{ topic: 't', partition: 0, offset, at: 0, key: 'k', headers: {}, value: new Uint8Array(bytes) },
});

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('what is forgotten of a tail is let go at once', async () => {
  const tails = new LaneTails();
  const held: WeakRef<LogRecord>[] = [];
  for (let offset = 0; offset < 200; offset++) {
    const one = record(offset, 100_000);
    held.push(new WeakRef(one));
    tails.write(0, one);
    tails.committed();
    await new Promise(setImmediate); // a WeakRef holds its own until the turn has ended
  }
  collectGarbage();
  const bytes = held.reduce((sum, ref) => sum + (ref.deref()?.value.byteLength ?? 0), 0);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect([...tails.from(0, 197)].map(({ offset }) => offset)).toEqual([197, 198, 199]);
  expect([...tails.from(0, 10)]).toEqual([]);
});

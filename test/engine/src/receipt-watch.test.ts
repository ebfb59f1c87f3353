import { ReceiptWatch } from '@retrigger/engine/receipt-watch.ts';
import type { Receipt } from '@retrigger/ports/receipt-store.ts';
import { expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';

function watching() {
  const clock = new ManualClock(1_000_000);
  const looks: string[][] = [];
  const stored = new Set<string>();
  const found: string[] = [];
  const watch = new ReceiptWatch(clock, async (ids) => {
    looks.push(ids);
    return ids.filter((id) => stored.has(id)).map((commandId) => ({ commandId }) as Receipt);
  });
  return { clock, looks, stored, found, watch: (id: string) => watch.watch(id, ({ commandId }) => found.push(commandId)) };
}

test('H3: a command that was answered within 100 ms is never looked for, and one that came just now not yet', async () => {
  const { clock, looks, watch } = watching();
  const answered = watch('answered');
  await clock.advance(60);
  watch('young');
  await clock.advance(30);
  answered();
  await clock.advance(10);
  expect(looks).toEqual([]);
  await clock.advance(100);
  expect(looks).toEqual([['young']]);
});

test('H1: what is not found is looked for again, what is found is told once', async () => {
  const { clock, looks, stored, found, watch } = watching();
  watch('one');
  watch('two');
  await clock.advance(100);
  stored.add('two');
  await clock.advance(100);
  await clock.advance(100);
  expect(looks).toEqual([['one', 'two'], ['one', 'two'], ['one']]);
  expect(found).toEqual(['two']);
});

test('a clock that is set back keeps nobody from being looked for', async () => {
  const { clock, looks, watch } = watching();
  watch('one');
  await clock.advance(100);
  clock.set(clock.now() - 300_000);
  await clock.advance(400_000);
  expect(looks.length).toBeGreaterThan(1);
});

import type { VersionedSubscription } from '@retrigger/engine/subscriptions.ts';
import { SubscriptionBook } from '@retrigger/notifier/subscription-book.ts';
import { expect, test } from 'vitest';

test('K2: a removed subscription is told of no more a second later, also when the clock was set back meanwhile', async () => {
  let [now, stored] = [1_000_000, [{ id: 'one' }] as VersionedSubscription[]];
  const book = new SubscriptionBook({ of: async () => stored }, { now: () => now, timer: () => () => {} });
  expect(await book.current('acme', 'one')).toBe(stored[0]);
  const removed = stored[0];
  stored = [];
  now += 999;
  expect(await book.current('acme', 'one')).toBe(removed);
  now -= 300_000;
  expect(await book.current('acme', 'one')).toBeUndefined();
});

test('K1: looks of one turn of the event loop are one, and one that is asked for later begins later', async () => {
  let looks = 0;
  let stored: VersionedSubscription[] = [];
  const book = new SubscriptionBook(
    {
      of: async () => {
        looks++;
        return stored;
      },
    },
    { now: () => 1_000_000, timer: () => () => {} },
  );
  await Promise.all([book.load(['acme']), book.load(['acme', 'acme'])]);
  expect(looks).toBe(1);
  const early = book.load(['acme']);
  stored = [{ id: 'one' }] as VersionedSubscription[]; // the look has not begun
  expect((await early).get('acme')).toBe(stored);
  expect(looks).toBe(2);
});

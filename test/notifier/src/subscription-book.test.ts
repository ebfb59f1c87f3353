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

import { MemoryLimiter } from '@retrigger/memory/memory-limiter.ts';
import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('windows of an earlier process go on with what they gave out, and end when they would have', async () => {
  const limiter = new MemoryLimiter();
  const now = Date.now();
  const user = { name: 'user', key: 'user:a', points: 5, windowMs: 3_600_000 };
  const brief = { name: 'brief', key: 'brief', points: 2, windowMs: 60_000 };
  const windows = [
    { limit: user, used: 4, endsAt: now + 600_000 },
    { limit: brief, used: 7, endsAt: now + 300 },
  ];
  await limiter.restore(windows, now);
  expect(await limiter.charge([user], 2)).toMatchObject({ kind: 'limited', remaining: 1 });
  const charge = await limiter.charge([user], 1);
  expect(charge.kind === 'charged' && charge.tightest?.resetMs).toBeLessThanOrEqual(600_000);
  expect(await limiter.charge([brief], 1), 'more was given out than is allowed now').toMatchObject({ kind: 'limited', remaining: 0 });
  await eventually('the brief one ends', 20_000, async () => (await limiter.charge([brief], 1)).kind === 'charged');
  await limiter.close();
});

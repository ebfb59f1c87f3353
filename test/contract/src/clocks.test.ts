import { systemClock } from '@retrigger/memory/system-clock.ts';
import { VirtualClock } from '@retrigger/memory/virtual-clock.ts';
import { expect, onTestFinished, test, vi } from 'vitest';

test('a timer of the system clock that waits longer than 2^31 ms fires once, at its time', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const waitMs = 2 ** 31 * 2 + 5_000;
  let fired = 0;
  systemClock.timer(Date.now() + waitMs, () => fired++);
  vi.advanceTimersByTime(waitMs - 1);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
  vi.advanceTimersByTime(waitMs);
  expect(fired).toBe(1);
});

test('a virtual clock stands at each timer’s time when it fires, in order, also for timers set on the way', async () => {
  const clock = new VirtualClock(1_000);
  const fired: [string, number][] = [];
  clock.timer(1_030, () => fired.push(['late', clock.now()]));
  clock.timer(1_010, () => {
    fired.push(['early', clock.now()]);
    clock.timer(1_020, () => fired.push(['set on the way', clock.now()]));
  });
  await clock.advance(25);
  expect(fired).toEqual([
    ['early', 1_010],
    ['set on the way', 1_020],
  ]);
  expect([clock.now(), clock.nextTimer()]).toEqual([1_025, 1_030]);
});

import { clockOf } from '@retrigger/lifecycle/system-clock.ts';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const MINUTE = 60_000;
let setBy: number;
let fired: number;
const passed = () => vi.getMockedSystemTime()?.getTime() ?? 0;
const clock = clockOf(
  () => 1_000_000_000 + passed() + setBy,
  () => passed(),
);
beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  setBy = 0;
  fired = 0;
});
afterEach(() => {
  vi.useRealTimers();
});
const timerIn = (ms: number) => clock.timer(clock.now() + ms, () => fired++);

test('a timer fires once, at its time and not before', () => {
  timerIn(42 * MINUTE);
  vi.advanceTimersByTime(42 * MINUTE - 1);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(MINUTE);
  expect(fired).toBe(1);
});

test('J1: a timer fires when its wait is over, although the calendar was set back by five minutes', () => {
  timerIn(20_000);
  vi.advanceTimersByTime(10_000);
  setBy = -5 * MINUTE;
  vi.advanceTimersByTime(10_000);
  expect(fired).toBe(1);
});

test('J1: a time-out is not over because the calendar was set ahead', () => {
  timerIn(20_000);
  vi.advanceTimersByTime(10_000);
  setBy = 5 * MINUTE;
  vi.advanceTimersByTime(9_999);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
});

test('a wait that is longer than a timer of Node can be ends in time', () => {
  timerIn(60 * 24 * 60 * MINUTE);
  vi.advanceTimersByTime(60 * 24 * 60 * MINUTE - 1);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
});

test('a timer that is cancelled never fires, however long it has waited; one that is over fires soon, and not at once', () => {
  const cancel = timerIn(MINUTE);
  vi.advanceTimersByTime(30_000);
  cancel();
  vi.advanceTimersByTime(MINUTE);
  expect(fired).toBe(0);
  timerIn(-MINUTE);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
});

import { consumerState } from '@retrigger/gateway/open-kafka-door.ts';
import { expect, test } from 'vitest';
import { FakeClock } from './fakes.ts';

test('a consumer that is away for a rebalance is up; one that is away for long is down until it is back', () => {
  const clock = new FakeClock();
  let isConsuming = false;
  const state = consumerState(() => isConsuming, clock);
  expect(state(), 'it is joining').toBe('up');
  isConsuming = true;
  clock.advance(60_000);
  expect(state()).toBe('up');
  isConsuming = false;
  expect(state()).toBe('up');
  clock.advance(14_999);
  expect(state()).toBe('up');
  clock.advance(1);
  expect(state()).toBe('down');
  isConsuming = true;
  expect(state()).toBe('up');
});

test('one that never comes is down', () => {
  const clock = new FakeClock();
  const state = consumerState(() => false, clock);
  clock.advance(15_000);
  expect(state()).toBe('down');
});

import { answerWithin, retryWithin } from '@retrigger/mongo/mongo-retry.ts';
import { manualClock } from '@retrigger/test-kafka/manual-clock.ts';
import { MongoNetworkError } from 'mongodb';
import { expect, test } from 'vitest';

const away = async (): Promise<never> => {
  throw new MongoNetworkError('nobody is there');
};

/** What has become of a promise so far. */
function watched(work: Promise<unknown>): { came(): unknown } {
  let end: unknown = 'nothing yet';
  work.then(
    (value) => (end = value),
    (error) => (end = error),
  );
  return { came: () => end };
}

test('F1, F2: an operation is tried again until it succeeds, and begins no later than its bound', async () => {
  const clock = manualClock();
  let tries = 0;
  const patient = watched(retryWithin(15_000, clock)(async () => (++tries === 5 ? 'done' : away())));
  await clock.advance(2_000);
  expect([patient.came(), tries]).toEqual(['done', 5]);
  const begun: number[] = [];
  const askedAt = clock.now();
  const given = watched(
    retryWithin(
      15_000,
      clock,
    )(() => {
      begun.push(clock.now() - askedAt);
      return away();
    }),
  );
  await clock.advance(60_000);
  expect(given.came()).toMatchObject({ code: 'network', retry: true });
  expect(Math.max(...begun)).toBeLessThanOrEqual(15_000);
});

test('F3: a caller is told in time, also while an attempt hangs, and no other begins', async () => {
  const clock = manualClock();
  let tries = 0;
  const hanging = watched(
    answerWithin(
      4_000,
      clock,
    )(() => {
      tries++;
      return new Promise(() => {});
    }),
  );
  await clock.advance(3_999);
  expect(hanging.came()).toBe('nothing yet');
  await clock.advance(1);
  await clock.advance(0);
  expect(hanging.came()).toMatchObject({ code: 'timeout', retry: true });
  await clock.advance(60_000);
  expect(tries).toBe(1);
});

test('F3: what succeeds in time, also after failures, is what the caller gets', async () => {
  const clock = manualClock();
  let tries = 0;
  const asked = watched(answerWithin(4_000, clock)(async () => (++tries === 3 ? 'done' : away())));
  await clock.advance(500);
  expect([asked.came(), tries]).toEqual(['done', 3]);
});

import { LeaseBook } from '@retrigger/kafka/lease-book.ts';
import type { LogRecord } from '@retrigger/ports/log.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';

const records = (from: number, to: number, size = 10): LogRecord[] =>
  Array.from({ length: to - from }, (_, n) => ({
    topic: 't',
    partition: 0,
    offset: from + n,
    at: 0,
    key: 'k',
    value: new Uint8Array(size),
    headers: {},
  }));

function book() {
  const clock = manualClock();
  const told: string[] = [];
  const running: (() => void)[] = [];
  const leases = new LeaseBook({
    clock,
    observer: silent,
    handler: {
      async assigned(partitions) {
        told.push(`assigned ${partitions}`);
      },
      async revoked(partitions) {
        told.push(`revoked ${partitions}`);
      },
      batch(partition, batch) {
        told.push(`${partition}: ${batch[0]?.offset}..${batch.at(-1)?.offset}`);
        return new Promise((resolve) => running.push(resolve));
      },
    },
    throttle: (partition, paused) => told.push(`${paused ? 'pause' : 'resume'} ${partition}`),
    commit: async () => true,
  });
  const finish = async () => {
    running.shift()?.();
    await clock.advance(0);
  };
  return { clock, leases, told, finish };
}

test('Q1, Q2: records come in order, the next ones when the batch has ended, and each once', async () => {
  const { clock, leases, told, finish } = book();
  leases.replace([0], false);
  leases.get(0)?.offer(records(5, 8), 20);
  await clock.advance(0);
  leases.get(0)?.offer(records(8, 10), 20);
  leases.get(0)?.offer(records(5, 12), 20); // the broker's answer to a second fetch from the committed offset
  await finish();
  await finish();
  expect(told).toEqual(['assigned 0', '0: 5..7', '0: 8..11']);
});

test('a log that begins anew is read anew', async () => {
  const { clock, leases, told, finish } = book();
  leases.replace([0], false);
  leases.get(0)?.offer(records(100, 101), 101);
  await clock.advance(0);
  leases.get(0)?.offer(records(0, 2), 2);
  await finish();
  expect(told).toEqual(['assigned 0', '0: 100..100', '0: 0..1']);
});

test('J2: what is kept goes on without being told, what is not is revoked before it is assigned again', async () => {
  const { clock, leases, told, finish } = book();
  leases.replace([0, 1], false);
  leases.get(0)?.offer(records(0, 1), 9);
  await clock.advance(0);
  leases.replace([0, 2], true);
  await finish();
  leases.get(0)?.offer(records(0, 3), 9);
  await clock.advance(0);
  await finish();
  leases.replace([0, 2], false);
  await clock.advance(0);
  const without = told.filter((each) => !each.startsWith('resume'));
  expect(without).toEqual(['assigned 0,1', '0: 0..0', 'revoked 1', 'assigned 2', '0: 1..2', 'revoked 0,2', 'assigned 0,2']);
});

test('B3: a partition that comes back waits for its last batch', async () => {
  const { clock, leases, told, finish } = book();
  leases.replace([0], false);
  leases.get(0)?.offer(records(0, 1), 9);
  await clock.advance(0);
  leases.replace([0], false);
  leases.get(0)?.offer(records(0, 2), 9);
  await clock.advance(0);
  expect(told.at(-1)).toBe('assigned 0');
  await finish();
  expect(told.at(-1)).toBe('0: 0..1');
});

test('J1: while held, no batch begins', async () => {
  const { clock, leases, told } = book();
  leases.replace([0], false);
  await clock.advance(0);
  leases.hold();
  leases.get(0)?.offer(records(0, 1), 9);
  await clock.advance(0);
  expect(told).toEqual(['assigned 0']);
  leases.release();
  await clock.advance(0);
  expect(told.at(-1)).toBe('0: 0..0');
});

test('a partition that is read ahead far enough is not fetched until half of it is gone', async () => {
  const { clock, leases, told, finish } = book();
  leases.replace([0], false);
  await clock.advance(0);
  leases.get(0)?.offer(records(0, 30, 100_000), 99);
  expect(told).toEqual(['assigned 0', 'pause 0']);
  await clock.advance(0);
  expect(told.at(-1)).toBe('0: 0..9');
  await finish();
  expect(told.filter((each) => each === 'resume 0')).toHaveLength(0);
  await finish();
  expect(told.filter((each) => each === 'resume 0')).toHaveLength(1);
});

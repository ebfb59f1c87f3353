import { type PendingAppend, RecordLanes } from '@retrigger/kafka/record-lanes.ts';
import { expect, test } from 'vitest';

const append = (): PendingAppend & { settle(): void } => {
  let settled = false;
  return {
    get settled() {
      return settled;
    },
    acknowledged() {},
    fail() {},
    settle() {
      settled = true;
    },
  };
};
const waiting = (value: string, bytes = 10, of = append()) => ({ message: { value }, bytes, append: of });
const values = (batches: ReturnType<RecordLanes['take']>) => batches.map(({ records }) => records.map(({ message }) => message.value));

test('N1: a partition’s next batch waits until the last one is answered', () => {
  const lanes = new RecordLanes();
  lanes.add('t', 0, waiting('a'));
  const first = lanes.take(100);
  lanes.add('t', 0, waiting('b'));
  lanes.add('t', 1, waiting('other'));
  expect(values(lanes.take(100))).toEqual([['other']]);
  expect(lanes.hasReady).toBe(false);
  lanes.release(first);
  expect(values(lanes.take(100))).toEqual([['b']]);
});

test('N2: a take ends at its size; what is larger goes alone', () => {
  const lanes = new RecordLanes();
  for (const value of ['a', 'b', 'c']) lanes.add('t', 0, waiting(value, 40));
  lanes.add('t', 1, waiting('d', 40));
  const first = lanes.take(100);
  expect(values(first)).toEqual([['a', 'b']]);
  lanes.add('t', 2, waiting('huge', 1_000));
  const second = lanes.take(100);
  expect(values(second)).toEqual([['d']]);
  expect(values(lanes.take(100))).toEqual([['huge']]);
  lanes.release(first);
  expect(values(lanes.take(100))).toEqual([['c']]);
});

test('records that nobody waits for any more are not sent', () => {
  const lanes = new RecordLanes();
  const gone = append();
  lanes.add('t', 0, waiting('a', 10, gone));
  lanes.add('t', 0, waiting('b'));
  lanes.add('t', 1, waiting('c', 10, gone));
  gone.settle();
  expect(values(lanes.take(100))).toEqual([['b']]);
  expect(lanes.hasReady).toBe(false);
});

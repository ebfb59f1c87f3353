import { partitionOfKey } from '@retrigger/kafka/murmur2.ts';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';

const theirs = kafkajs.Partitioners.DefaultPartitioner();
const metadata = (count: number) =>
  Array.from({ length: count }, (_, partitionId) => ({ partitionId, partitionErrorCode: 0, leader: 1, replicas: [1], isr: [1] }));

test('a key stands where KafkaJS’s default partitioner puts it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (bytes, count) => {
      const key = Buffer.from(bytes);
      expect(partitionOfKey(key, count)).toBe(theirs({ topic: 't', partitionMetadata: metadata(count), message: { key, value: null } }));
    }),
    { numRuns: 1_000 },
  );
});

test('a key stands where the Java client puts it', () => {
  // Values of Utils.murmur2, from the Java client's own tests, made positive.
  for (const [key, hash] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ] as const)
    expect(partitionOfKey(Buffer.from(key), 2 ** 31)).toBe(hash & 0x7fffffff);
});

import { KafkaProducer } from '@retrigger/kafka/kafka-producer.ts';
import { silent } from '@retrigger/ports/observer.ts';
import { unobserved } from '@retrigger/ports/reached.ts';
import type { Kafka, ProducerBatch } from 'kafkajs';
import { expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';

/** A producer over a broker that answers when its test says so; the key of a record is its partition. */
function startProducer() {
  const clock = manualClock();
  const sent: { partitions: (number | undefined)[]; answer(error?: Error): void }[] = [];
  const producer = {
    sendBatch: ({ topicMessages = [] }: ProducerBatch) =>
      new Promise<void>((resolve, reject) => {
        const partitions = topicMessages.flatMap(({ messages }) => messages.map(({ partition }) => partition));
        sent.push({ partitions, answer: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  };
  const log = new KafkaProducer({ producer: () => producer } as never as Kafka, {
    ...{ clock, observer: silent, reached: unobserved, appendTimeoutMs: 5_000 },
    partitionOf: (_topic, key) => Number(Buffer.from(key).toString()),
  });
  const append = (partition: number) => log.append('work', [{ key: String(partition), value: Buffer.from('x'), headers: {} }]);
  return { clock, sent, append, stuckMs: (partition: number) => log.stuckMs('work', partition) };
}

test('P6: a partition is stuck for as long as its batch is not answered, also when its appends have timed out; others are not', async () => {
  const { clock, sent, append, stuckMs } = startProducer();
  const first = append(1);
  first.catch(() => {});
  await clock.advance(7_000);
  await expect(first).rejects.toMatchObject({ code: 'timed_out', retry: true });
  expect([stuckMs(1), stuckMs(2)]).toEqual([7_000, 0]);
  sent[0]?.answer();
  await clock.advance(0);
  expect(stuckMs(1)).toBe(0);
});

test('P6: when every slot is taken by batches that are not answered, all partitions are stuck since the last of them was sent', async () => {
  const { clock, sent, append, stuckMs } = startProducer();
  const one = append(1);
  await clock.advance(1_000);
  const two = append(2);
  await clock.advance(1_000);
  expect([stuckMs(1), stuckMs(2), stuckMs(3)]).toEqual([2_000, 1_000, 1_000]);
  sent[0]?.answer();
  await one;
  await clock.advance(0);
  expect([stuckMs(1), stuckMs(2), stuckMs(3)]).toEqual([0, 1_000, 0]);
  sent[1]?.answer();
  await two;
  expect(sent.map(({ partitions }) => partitions)).toEqual([[1], [2]]);
});

test('P5, P6: a batch that fails is stuck until it stands, and gives its slot to others meanwhile', async () => {
  const { clock, sent, append, stuckMs } = startProducer();
  const one = append(1);
  await clock.advance(0);
  sent[0]?.answer(Object.assign(new Error('no leader'), { name: 'KafkaJSConnectionError' }));
  await clock.advance(3_000);
  expect([stuckMs(1), stuckMs(2)]).toEqual([3_000, 0]);
  const two = append(2);
  await clock.advance(0);
  for (const { answer } of sent.slice(1)) answer();
  await Promise.all([one, two]);
  await clock.advance(0);
  expect([stuckMs(1), stuckMs(2)]).toEqual([0, 0]);
});

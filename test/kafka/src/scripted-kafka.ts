import { EventEmitter } from 'node:events';
import type kafkajs from 'kafkajs';

type Listener = (event: { payload: unknown }) => void;

/** A KafkaJS whose one consumer does what its test says. Only what a group member uses of it is there. */
export function scriptedKafka(topic: string) {
  const emitter = new EventEmitter();
  const calls: string[] = [];
  const committed: string[] = [];
  let run: kafkajs.ConsumerRunConfig = {};
  const cluster = { findGroupCoordinator: async () => 'coordinator' };
  const events = { FETCH: 'fetch', FETCH_START: 'fetch_start', REBALANCING: 'rebalancing', GROUP_JOIN: 'group_join', CRASH: 'crash' };
  const consumer = {
    events,
    on: (event: string, listener: Listener) => emitter.on(event, (payload: unknown) => listener({ payload })),
    async connect() {},
    async subscribe() {},
    async run(config: kafkajs.ConsumerRunConfig) {
      run = config;
    },
    pause: () => calls.push('pause'),
    resume() {},
    async disconnect() {
      calls.push('disconnect');
    },
  };
  const kafka = {
    consumer({ partitionAssigners = [] }: kafkajs.ConsumerConfig) {
      for (const assigner of partitionAssigners) assigner({ cluster, groupId: 'g', logger: undefined } as never);
      return consumer;
    },
  };
  return {
    kafka: kafka as never as kafkajs.Kafka,
    calls,
    committed,
    emit: (event: keyof typeof events, payload: object = {}) => void emitter.emit(events[event], payload),
    /** What KafkaJS does before it joins; resolves with whether the member lets it. */
    join: () =>
      cluster.findGroupCoordinator().then(
        () => true,
        () => false,
      ),
    joined: (partitions: number[]) => void emitter.emit(events.GROUP_JOIN, { memberAssignment: { [topic]: partitions } }),
    /** Hands over records `from`..`to` (not included) of a partition. */
    fetched: (partition: number, from: number, to: number) =>
      run.eachBatch?.({
        batch: {
          partition,
          highWatermark: '1000',
          messages: Array.from({ length: to - from }, (_, n) => ({
            offset: String(from + n),
            timestamp: '0',
            key: null,
            value: null,
            headers: {},
          })),
        },
        commitOffsetsIfNecessary: async ({ topics }: kafkajs.Offsets) => {
          committed.push(...topics.flatMap(({ partitions }) => partitions.map((each) => `${each.partition}:${each.offset}`)));
        },
      } as never as kafkajs.EachBatchPayload),
  };
}

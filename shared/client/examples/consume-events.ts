// A program downstream: it consumes the events topic in a group of its own and sees each event of a task once, in order.
// node consume-events.ts 127.0.0.1:9092 http://127.0.0.1:8081/apis/ccompat/v7
import { Kafka, logLevel } from 'kafkajs';
import { NewestPerTask } from '../src/newest-per-task.ts';
import { registryEvents } from '../src/registry-events.ts';
import type { TaskEvent } from '../src/types.ts';

export type Downstream = {
  brokers: string[];
  /** The schema registry's Confluent API. */
  registryUrl: string;
  groupId: string;
  topic?: string;
  onEvent(event: TaskEvent): Promise<void>;
};

/** Calls `onEvent` with every event from the earliest on; an event whose handling throws comes again. Resolves with what ends it. */
export async function consumeEvents({ brokers, registryUrl, groupId, topic = 'retrigger.events', onEvent }: Downstream) {
  const decode = registryEvents(registryUrl);
  const newest = new NewestPerTask();
  const kafka = new Kafka({ clientId: 'downstream', brokers, logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    async eachMessage({ message }) {
      const event = message.value === null ? undefined : await decode(message.value);
      if (event === undefined || !newest.isNew(event)) return; // a repeat, or a step back
      await onEvent(event);
      newest.handled(event);
    },
  });
  return { stop: () => consumer.disconnect() };
}

if (import.meta.main) {
  const [brokers = '127.0.0.1:9092', registryUrl = 'http://127.0.0.1:8081'] = process.argv.slice(2);
  await consumeEvents({
    brokers: brokers.split(','),
    registryUrl,
    groupId: 'downstream-example',
    onEvent: async ({ taskId, sequence, eventType, newState }) => console.log(`${taskId} #${sequence} ${eventType} → ${newState}`),
  });
}

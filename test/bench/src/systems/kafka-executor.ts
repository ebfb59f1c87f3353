import { createExecutor } from '@retrigger/client/executor.ts';
import { kafkaExecutions } from '@retrigger/client/kafka-executions.ts';
import { registryEvents } from '@retrigger/client/registry-events.ts';
import { Kafka, logLevel } from 'kafkajs';
import { countingClient } from './counting-client.ts';
import { CONCURRENCY, type RunWorker } from './system.ts';

/** The executor of shared/client on the events topic. A completion is recorded when the report of it was answered. */
export const runWorker: RunWorker = async ({ url = '', brokers = '', registry = '', topic = '', type = '' }, hooks) => {
  const client = countingClient(url, hooks);
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const source = await kafkaExecutions({
    kafka,
    client,
    types: [type],
    groupId: `${topic}-bench`,
    decode: registryEvents(registry),
    topic,
  });
  const run = async ({ taskId }: { taskId: string }) => hooks.started(taskId);
  const executor = createExecutor({ client, types: [type], concurrency: CONCURRENCY, run, source });
  return () => executor.stop();
};

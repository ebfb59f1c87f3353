import { createClient } from '@retrigger/client/client.ts';
import { createExecutor } from '@retrigger/client/executor.ts';
import { kafkaExecutions } from '@retrigger/client/kafka-executions.ts';
import { registryEvents } from '@retrigger/client/registry-events.ts';
import { Kafka, logLevel } from 'kafkajs';
import { KEY } from '../subject.ts';
import { CONCURRENCY, type RunWorker } from './system.ts';

/** The executor of shared/client on the events topic. A completion is recorded when the report of it was answered. */
export const runWorker: RunWorker = async ({ url = '', brokers = '', registry = '', topic = '', type = '' }, hooks) => {
  const client = createClient({ url, key: KEY });
  const counting: typeof client = {
    ...client,
    async completed(...report) {
      const outcome = await client.completed(...report);
      if (outcome.ok) hooks.completed(1);
      return outcome;
    },
  };
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
  const executor = createExecutor({ client: counting, types: [type], concurrency: CONCURRENCY, run, source });
  return () => executor.stop();
};

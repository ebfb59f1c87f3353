import { createClient } from '@retrigger/client/client.ts';
import { createExecutor, type Executor } from '@retrigger/client/executor.ts';
import { kafkaExecutions } from '@retrigger/client/kafka-executions.ts';
import { registryEvents } from '@retrigger/client/registry-events.ts';
import { TOPICS } from '@retrigger/ports/log.ts';
import kafkajs from 'kafkajs';
import type { Outside } from './outside.ts';
import type { System } from './system.ts';
import type { Tenant } from './user.ts';

export const CLAIMED_TYPE = 'claimed';
export const CONSUMED_TYPE = 'consumed';
const AT_ONCE = 4;
const MADE_WITHIN_MS = 120_000;

/**
 * Executors as users run them, with what `shared/client` gives them: of each tenant two that claim over HTTP and two on Kafka. Each has a key, so a user, of its own.
 * Their own ways to Kafka and the gateways have no faults but those of the servers.
 */
export async function startExecutors(system: System, tenants: Tenant[], outside: Outside): Promise<Executor[]> {
  const { RETRIGGER_KAFKA_BROKERS = '', RETRIGGER_KAFKA_PREFIX, RETRIGGER_SCHEMA_REGISTRY_URL = '' } = system.settings;
  const kafka = new kafkajs.Kafka({ brokers: RETRIGGER_KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.NOTHING });
  const started: Executor[] = [];
  for (const tenant of tenants) {
    for (const [n, url] of tenant.doors.entries()) {
      const key = await executorsKey(tenant, `executor-${n}`);
      const client = createClient({ url, key });
      const executor = (types: string[], by: string, more: object) =>
        createExecutor({
          ...{ client, types, concurrency: AT_ONCE, trouble: () => {}, ...more },
          async run({ executionId, taskId, context }) {
            outside.recorder?.runs.push({ key: `${context.tenant}/${taskId}`, executionId, by: `${tenant.id}'s ${by}` });
            return { done: taskId };
          },
        });
      started.push(executor([CLAIMED_TYPE], `claimer ${n}`, {}));
      const source = await kafkaExecutions({
        ...{ kafka, client, types: [CONSUMED_TYPE], groupId: `${RETRIGGER_KAFKA_PREFIX}executors.${tenant.id}` },
        ...{ decode: registryEvents(RETRIGGER_SCHEMA_REGISTRY_URL), topic: RETRIGGER_KAFKA_PREFIX + TOPICS.events },
      });
      started.push(executor([CONSUMED_TYPE], `consumer ${n}`, { source }));
    }
  }
  return started;
}

async function executorsKey({ id, key, doors: [url = ''] }: Tenant, userId: string): Promise<string> {
  const made = await createClient({ url, key, withinMs: MADE_WITHIN_MS }).createApiKey({ tenantId: id, userId, roles: ['executor'] });
  if (!made.ok) throw new Error(`no key for ${userId} of ${id}: ${made.problem.detail}`);
  return made.data.key;
}

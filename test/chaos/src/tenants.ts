import { type Client, createClient } from '@retrigger/client/client.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import type { Outside } from './outside.ts';
import { connectProducer } from './published.ts';
import type { System } from './system.ts';
import type { Tenant } from './user.ts';

export const TENANTS = ['default', 'north', 'south'];
/** Everything has just begun. */
const WITHIN_MS = 120_000;

/** An admin for each tenant, somebody who publishes commands, and a subscriber who wants to hear of everything. `end` hangs up on Kafka. */
export async function foundTenants(system: System, outside: Outside): Promise<{ tenants: Tenant[]; end(): Promise<void> }> {
  const { doors, firstKey } = system;
  const [url = ''] = doors;
  const { producer, topic } = await connectProducer(system);
  const tenants: Tenant[] = [];
  for (const id of TENANTS) {
    const first = createClient({ url, key: firstKey, withinMs: WITHIN_MS });
    const key = id === 'default' ? firstKey : (await admin(first, id, 'admin')).key;
    const own = createClient({ url, key, withinMs: WITHIN_MS });
    dataOf(await own.subscribe({ channel: 'webhook', url: `${outside.url}/news/${id}` }));
    const { id: keyId, ...made } = await admin(first, id, 'publisher');
    tenants.push({ id, key, doors, publisher: { keyId, key: made.key, signingSecret: made.signingSecret, topic, producer } });
  }
  return { tenants, end: () => producer.disconnect() };
}

const admin = async (first: Client, tenantId: string, userId: string) =>
  dataOf(await first.createApiKey({ tenantId, userId, roles: ['admin'] }));

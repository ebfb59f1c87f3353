import { createClient } from '@retrigger/client/client.ts';
import { dataOf } from '@retrigger/client/outcome.ts';
import type { Outside } from './outside.ts';
import type { System } from './system.ts';
import type { Tenant } from './user.ts';

export const TENANTS = ['default', 'north', 'south'];

/** An admin for each tenant, and a subscriber who wants to hear of everything. */
export async function foundTenants({ doors, firstKey }: System, outside: Outside): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (const id of TENANTS) {
    const first = createClient({ url: doors[0] ?? '', key: firstKey });
    const key = id === 'default' ? firstKey : dataOf(await first.createApiKey({ tenantId: id, userId: 'admin', roles: ['admin'] })).key;
    dataOf(await createClient({ url: doors[0] ?? '', key }).subscribe({ channel: 'webhook', url: `${outside.url}/news/${id}` }));
    tenants.push({ id, key, doors });
  }
  return tenants;
}

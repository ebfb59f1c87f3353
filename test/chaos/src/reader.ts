import type { Event } from '@retrigger/domain/event.ts';
import type { JsonObject } from '@retrigger/domain/json.ts';
import type { Tenant } from './user.ts';

const AT_ONCE = 8;
const TRY_MS = 20_000;
const TRIES = 5;
const BETWEEN_TRIES_MS = 1_000;

export type Shown = JsonObject & { status: string; execution?: JsonObject };

/** Reads as a tenant's admin, at one gateway after the other; for when everything is whole. */
export class Reader {
  readonly #tenants: Map<string, Tenant>;
  #next = 0;

  constructor(tenants: Tenant[]) {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]));
  }

  /** `key`: `tenant/task`. */
  async task(key: string): Promise<Shown> {
    const [tenant = '', taskId = ''] = key.split('/');
    return (await this.#get(tenant, `/tasks/${taskId}`, 200)) as Shown;
  }

  async events(key: string): Promise<Event[]> {
    const [tenant = '', taskId = ''] = key.split('/');
    const { events } = (await this.#get(tenant, `/tasks/${taskId}/events?pageSize=1000`, 200)) as { events: Event[] };
    return events;
  }

  async deadLetters(tenant: string): Promise<JsonObject[]> {
    return ((await this.#get(tenant, '/dead-letters?pageSize=1000', 200)) as { deadLetters: JsonObject[] }).deadLetters;
  }

  /** What somebody of this tenant gets for a task that is another's alone. */
  async statusFor(tenant: string, taskId: string): Promise<number> {
    return (await this.#asked(tenant, `/tasks/${taskId}`)).status;
  }

  async #get(tenant: string, path: string, wanted: number): Promise<JsonObject> {
    const { status, text } = await this.#asked(tenant, path);
    if (status !== wanted) throw new Error(`GET ${path} of ${tenant}: ${status} ${text}`);
    return JSON.parse(text).data;
  }

  /** Asks again what nobody answered (status 0) or was put off. */
  async #asked(tenantId: string, path: string): Promise<{ status: number; text: string }> {
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) throw new Error(`there is no tenant ${tenantId}`);
    for (let left = TRIES; ; left--) {
      const answer = await this.#once(tenant, path).catch((error: unknown) => ({ status: 0, text: String(error) }));
      if ((answer.status !== 0 && answer.status !== 503) || left === 1) return answer;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
    }
  }

  async #once({ doors, key }: Tenant, path: string): Promise<{ status: number; text: string }> {
    const door = doors[this.#next++ % doors.length];
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${door}/api/v1${path}`, { headers, signal: AbortSignal.timeout(TRY_MS) });
    return { status: response.status, text: await response.text() };
  }
}

/** Does something with each, a few at once. */
export async function forEach<T>(all: Iterable<T>, what: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const work = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await what(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

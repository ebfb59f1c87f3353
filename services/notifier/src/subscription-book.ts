import type { Subscriptions, VersionedSubscription } from '@retrigger/engine/subscriptions.ts';
import type { Clock } from '@retrigger/ports/clock.ts';

const FRESH_MS = 1_000;
const MOST_TENANTS = 1_000;

/**
 * Whom a tenant's news goes to.
 * K1: `load` reads after it was called, so a subscription that was answered before an event was written is among those of the event, whatever clocks say.
 * K2: `current` is at most a second old: so long may something still be sent to a subscription that was removed.
 * K3: one that is not known is looked for, for it may be younger: nothing is dropped on old knowledge.
 */
export class SubscriptionBook {
  readonly #subscriptions: Pick<Subscriptions, 'of'>;
  readonly #clock: Clock;
  readonly #known = new Map<string, { at: number; of: VersionedSubscription[] }>();
  /** Looks that have not begun: batches of several partitions that come in one turn of the event loop share one (K1). */
  readonly #asked = new Map<string, Promise<VersionedSubscription[]>>();

  constructor(subscriptions: Pick<Subscriptions, 'of'>, clock: Clock) {
    this.#subscriptions = subscriptions;
    this.#clock = clock;
  }

  /** By tenant. */
  async load(tenantIds: Iterable<string>): Promise<Map<string, VersionedSubscription[]>> {
    return new Map(await Promise.all([...new Set(tenantIds)].map(async (tenantId) => [tenantId, await this.#read(tenantId)] as const)));
  }

  async current(tenantId: string, id: string): Promise<VersionedSubscription | undefined> {
    const known = this.#known.get(tenantId);
    const ageMs = known === undefined ? FRESH_MS : this.#clock.now() - known.at;
    const isFresh = ageMs >= 0 && ageMs < FRESH_MS; // a clock that was set back since tells no age
    const found = isFresh ? known?.of.find((one) => one.id === id) : undefined;
    return found ?? (await this.#read(tenantId)).find((one) => one.id === id); // K3
  }

  /** Something of this tenant was changed here. */
  forget(tenantId: string): void {
    this.#known.delete(tenantId);
  }

  #read(tenantId: string): Promise<VersionedSubscription[]> {
    const asked = this.#asked.get(tenantId);
    if (asked !== undefined) return asked;
    const begun = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#asked.delete(tenantId);
      return this.#look(tenantId);
    });
    this.#asked.set(tenantId, begun);
    return begun;
  }

  async #look(tenantId: string): Promise<VersionedSubscription[]> {
    const at = this.#clock.now();
    const of = await this.#subscriptions.of(tenantId);
    this.#known.delete(tenantId);
    this.#known.set(tenantId, { at, of });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_TENANTS) break;
      this.#known.delete(oldest);
    }
    return of;
  }
}

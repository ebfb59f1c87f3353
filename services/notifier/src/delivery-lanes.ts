import type { StoredDelivery } from '@retrigger/engine/deliveries.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type Attempted, DeliveryLane, type Health } from './delivery-lane.ts';
import { Slots } from './slots.ts';

/** Attempts of this process at once. Subscribers that fail have slots of their own. */
const HEALTHY_SLOTS = 256;
const FAILING_SLOTS = 128;

/** A lane for each subscription that has something to be told, or has been failing. */
export class DeliveryLanes {
  readonly #lanes = new Map<string, DeliveryLane>();
  readonly #touched = new Set<DeliveryLane>();
  readonly #ports: { clock: Clock; attempt(delivery: StoredDelivery, health: Health): Promise<Attempted> };
  #isStopped = false;
  readonly #slots = { healthy: new Slots(HEALTHY_SLOTS), failing: new Slots(FAILING_SLOTS) };

  constructor(ports: { clock: Clock; attempt(delivery: StoredDelivery, health: Health): Promise<Attempted> }) {
    this.#ports = ports;
  }

  /** The lane of a delivery's subscription, which is pumped with the next `pump`. */
  of({ tenantId, subscriptionId }: Pick<StoredDelivery, 'tenantId' | 'subscriptionId'>): DeliveryLane {
    const name = `${tenantId}/${subscriptionId}`;
    const lane = this.#lanes.get(name) ?? this.#make(name);
    this.#touched.add(lane);
    return lane;
  }

  /** Lets those go on that were given something. */
  pump(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const lane of touched) lane.pump();
  }

  /** Forgets what this owner handed in. */
  drop(owner: object): void {
    for (const lane of this.#lanes.values()) lane.drop(owner);
  }

  /** No attempt begins any more; resolves when none runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  #make(name: string): DeliveryLane {
    const lane = new DeliveryLane({
      ...this.#ports,
      slots: this.#slots,
      emptied: () => {
        const { isFailing, givenUpInARow } = lane.health;
        if (!isFailing && givenUpInARow === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
      },
    });
    this.#lanes.set(name, lane);
    if (this.#isStopped) void lane.stop();
    return lane;
  }
}

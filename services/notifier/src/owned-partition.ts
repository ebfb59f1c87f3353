import { deliveriesFrom, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import { Backlog, type BacklogBounds, type BacklogPorts } from './backlog.ts';
import type { DeliveryLanes } from './delivery-lanes.ts';

export type OwnedPorts = Omit<BacklogPorts, 'pump'> & { lanes: DeliveryLanes; bounds: BacklogBounds };

const MOST_SEEN = 10_000;

/** One assignment of one partition of the events topic: what its events led to and is not delivered. */
export class OwnedPartition {
  readonly partition: number;
  /** The last sequence of each task that was turned into deliveries here, of the tasks seen last. */
  readonly seen = new LastSequences(MOST_SEEN);
  readonly #ports: OwnedPorts;
  readonly #backlogs = new Map<string, Backlog>();
  readonly #closing = new AbortController();

  constructor(partition: number, ports: OwnedPorts) {
    this.partition = partition;
    this.#ports = ports;
  }

  /** How many more may be stored for this delivery's subscription. */
  roomFor(delivery: StoredDelivery): number {
    return this.#backlogs.get(delivery.subscriptionId)?.room ?? this.#ports.bounds.stored;
  }

  /** A delivery whose document is stored. */
  arrived(delivery: StoredDelivery): void {
    this.#backlogOf(delivery).arrived(delivery);
  }

  /** One that was stored before; it may be in its lane. */
  found(delivery: StoredDelivery): void {
    this.#backlogOf(delivery).found(delivery);
  }

  /** Into its lane. W7: what was not attempted yet waits for nothing, whatever the clock of whoever stored it said. */
  enter(delivery: StoredDelivery, over: () => void): void {
    const dueAt = delivery.attempts === 0 ? Math.min(delivery.dueAt, this.#ports.clock.now()) : delivery.dueAt;
    this.#ports.lanes.of(delivery).add({ delivery: { ...delivery, dueAt }, owner: this, over });
  }

  pump(): void {
    this.#ports.lanes.pump();
  }

  /** Aborts when the partition is somebody else's. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
    for (const backlog of this.#backlogs.values()) backlog.close();
    this.#ports.lanes.drop(this);
  }

  #backlogOf({ tenantId, subscriptionId }: StoredDelivery): Backlog {
    const known = this.#backlogs.get(subscriptionId);
    if (known !== undefined) return known;
    const of = { kind: deliveriesFrom(this.partition), tenantId, subscriptionId };
    const { documents, clock, observer, bounds } = this.#ports;
    const ports = { documents, clock, observer, pump: () => this.pump() };
    const made = new Backlog(ports, of, (delivery, over) => this.enter(delivery, over), bounds);
    this.#backlogs.set(subscriptionId, made);
    return made;
  }
}

/** A bounded memory: what was set longest ago is forgotten first. */
class LastSequences {
  readonly #most: number;
  readonly #sequences = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): number | undefined {
    return this.#sequences.get(key);
  }

  set(key: string, sequence: number): void {
    this.#sequences.delete(key);
    this.#sequences.set(key, sequence);
    for (const oldest of this.#sequences.keys()) {
      if (this.#sequences.size <= this.#most) return;
      this.#sequences.delete(oldest);
    }
  }
}

import { ASKED_DELIVERIES, type StoredDelivery } from '@retrigger/engine/deliveries.ts';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Slots } from './slots.ts';

/** What came of an attempt. `held`: the subscription is paused; look again then. `resumed`: it is not any more. */
export type Attempted = { kind: 'over'; resumed?: true } | { kind: 'later'; delivery: StoredDelivery } | { kind: 'held'; until: number };

/** How a subscriber has been doing, as far as this process knows. */
export type Health = { isFailing: boolean; givenUpInARow: number };

/** A delivery that somebody handed in; `over` is called when nothing is to be done about it any more. */
export type Item = { delivery: StoredDelivery; owner: object; over(): void };

export type LanePorts = {
  clock: Clock;
  /** Never rejects. */
  attempt(delivery: StoredDelivery, health: Health): Promise<Attempted>;
  slots: { healthy: Slots; failing: Slots };
  /** Nothing is left to do. */
  emptied(): void;
};

/** Attempts of one subscription at once. */
const MOST_AT_ONCE = 8;
const SET_BACK_MS = 1_000;

/**
 * What one subscriber is still to be told.
 * Q1: a line's deliveries are attempted one after the other, in the order in which they came; one that waits for its next try holds up its own line only.
 * Q2: a subscriber that fails has one attempt at a time, from slots that healthy ones do not use: however many hang, a healthy one finds a slot.
 * Q3: while it is paused only what people asked for is attempted: a test, or a dead letter again.
 * Q4: when the clock was set back, nobody knows any more how long a delivery was to wait: each is attempted.
 */
export class DeliveryLane {
  readonly health: Health = { isFailing: false, givenUpInARow: 0 };
  readonly #ports: LanePorts;
  readonly #lines = new Map<string, Item[]>();
  readonly #running = new Map<string, Promise<void>>();
  #heldUntil = 0;
  #lookedAt = 0;
  #cancel: () => void = () => {};
  #isStopped = false;
  readonly #pump = () => this.pump();

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0 && this.#running.size === 0;
  }

  add(item: Item): void {
    const line = this.#lines.get(item.delivery.line);
    if (line === undefined) this.#lines.set(item.delivery.line, [item]);
    else line.push(item);
  }

  /** Forgets what this owner handed in. An attempt that runs goes on. */
  drop(owner: object): void {
    for (const [name, items] of this.#lines) {
      const left = items.filter((item) => item.owner !== owner);
      if (left.length === 0) this.#lines.delete(name);
      else this.#lines.set(name, left);
    }
    if (this.isEmpty) this.#ports.emptied();
  }

  /** Starts what may start, and comes back by itself when more may. */
  pump(): void {
    this.#cancel();
    this.#cancel = () => {};
    if (this.#isStopped) return;
    const { clock, slots } = this.#ports;
    const now = clock.now();
    if (now < this.#lookedAt - SET_BACK_MS) this.#waitNoLonger(now); // Q4
    this.#lookedAt = now;
    let next = Number.POSITIVE_INFINITY;
    for (const [name, [head]] of this.#lines) {
      if (head === undefined || this.#running.has(name)) continue; // Q1
      const { dueAt, kind } = head.delivery;
      const at = kind === ASKED_DELIVERIES ? dueAt : Math.max(dueAt, this.#heldUntil); // Q3
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      const { isFailing } = this.health;
      if (this.#running.size >= (isFailing ? 1 : MOST_AT_ONCE)) return; // Q2; whatever ends pumps
      const pool = isFailing ? slots.failing : slots.healthy;
      if (!pool.take(head.delivery.tenantId)) {
        pool.wait(this.#pump);
        return;
      }
      this.#running.set(name, this.#run(name, head, pool));
    }
    if (next < Number.POSITIVE_INFINITY) this.#cancel = clock.timer(next, this.#pump);
  }

  /** Starts nothing any more; resolves when nothing runs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await Promise.all(this.#running.values());
  }

  #waitNoLonger(now: number): void {
    this.#heldUntil = Math.min(this.#heldUntil, now);
    for (const item of [...this.#lines.values()].flat()) item.delivery = { ...item.delivery, dueAt: Math.min(item.delivery.dueAt, now) };
  }

  async #run(name: string, head: Item, pool: Slots): Promise<void> {
    const attempted = await this.#ports.attempt(head.delivery, this.health);
    this.#running.delete(name);
    if (attempted.kind === 'later') head.delivery = attempted.delivery;
    else if (attempted.kind === 'held') this.#heldUntil = attempted.until;
    else this.#end(name, head, attempted.resumed ?? false);
    pool.release(head.delivery.tenantId);
    this.pump();
    if (this.isEmpty) this.#ports.emptied();
  }

  #end(name: string, head: Item, isResumed: boolean): void {
    if (isResumed) this.#heldUntil = 0;
    const line = this.#lines.get(name);
    if (line?.[0] === head) {
      line.shift();
      this.#lines.delete(name);
      if (line.length > 0) this.#lines.set(name, line); // behind the others
    }
    head.over();
  }
}

import { type LeaseOptions, PartitionLease } from './partition-lease.ts';
import { backoffMs, pause } from './pause.ts';

const LONGEST_PAUSE_MS = 5_000;

/**
 * The leases of one member, and what its handler is told about them.
 * B1: the handler is told of an assignment before the first batch of it, and of its loss after; never both at once, and in the order in which they came.
 * B2: an assignment that the handler could not take (it threw) is told again until it can, or until it is lost.
 * B3: in one process a partition's next batch begins only when its last one has ended, also across members.
 */
export class LeaseBook {
  readonly #options: LeaseOptions;
  readonly #leases = new Map<number, PartitionLease>();
  /** The last batches of partitions that were lost. */
  #predecessors = new Map<number, Promise<void>>();
  #told: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The partitions' last batches under earlier members of this process; kept up to date. */
  follow(predecessors: Map<number, Promise<void>>): void {
    this.#predecessors = predecessors;
  }

  partitions(): number[] {
    return [...this.#leases.keys()];
  }

  get(partition: number): PartitionLease | undefined {
    return this.#leases.get(partition);
  }

  hold(): void {
    for (const lease of this.#leases.values()) lease.hold();
  }

  release(): void {
    if (!this.#closed) for (const lease of this.#leases.values()) lease.release();
  }

  /** From here on nothing begins any more: no batch, no assignment. */
  close(): void {
    this.#closed = true;
    this.hold();
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#leases.values()].map((lease) => lease.idle()));
  }

  /** What this member has from now on. `keep`: what it has already stays as it is. */
  replace(partitions: number[], keep: boolean): void {
    const wanted = new Set(partitions);
    this.#lose([...this.#leases.values()].filter(({ partition }) => !keep || !wanted.has(partition)));
    for (const { partition, full } of this.#leases.values()) this.#options.throttle(partition, full);
    if (this.#closed) return;
    const gained = partitions
      .filter((partition) => !this.#leases.has(partition))
      .map((partition) => new PartitionLease(partition, this.#options));
    for (const lease of gained) this.#leases.set(lease.partition, lease);
    if (gained.length > 0) this.#tell(() => this.#tellAssigned(gained));
  }

  /** Tells the handler that everything is lost, while commits still count. */
  async giveBack(): Promise<void> {
    const all = [...this.#leases.values()];
    this.#leases.clear();
    if (all.length > 0) this.#tell(() => this.#tellRevoked(all));
    await this.#told;
    for (const lease of all) lease.end();
  }

  /** Ends all leases and resolves when the handler has been told. */
  async endAll(): Promise<void> {
    this.#lose([...this.#leases.values()]);
    await this.#told;
  }

  #lose(lost: PartitionLease[]): void {
    for (const lease of lost) {
      lease.end();
      this.#leases.delete(lease.partition);
      this.#predecessors.set(lease.partition, lease.idle());
    }
    if (lost.length > 0) this.#tell(() => this.#tellRevoked(lost));
  }

  /** B1 */
  #tell(what: () => Promise<void>): void {
    this.#told = this.#told.then(what);
  }

  async #tellRevoked(leases: PartitionLease[]): Promise<void> {
    try {
      await this.#options.handler.revoked(leases.map(({ partition }) => partition));
    } catch (error) {
      this.#complain('a revocation failed', error);
    }
  }

  /** B2 */
  async #tellAssigned(gained: PartitionLease[]): Promise<void> {
    for (let failures = 0; ; failures++) {
      const leases = gained.filter((lease) => !lease.ended);
      if (leases.length === 0) return;
      try {
        await this.#options.handler.assigned(leases.map(({ partition }) => partition));
        for (const lease of leases) lease.start(this.#predecessors.get(lease.partition) ?? Promise.resolve()); // B3
        return;
      } catch (error) {
        this.#complain('an assignment failed; it is told again', error);
        await pause(this.#options.clock, backoffMs(failures, LONGEST_PAUSE_MS));
      }
    }
  }

  #complain(what: string, error: unknown): void {
    this.#options.observer.log('error', what, { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

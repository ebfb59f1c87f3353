import type { Clock } from '@retrigger/ports/clock.ts';
import type { LogConsumer, LogRecord, RecordHandler } from '@retrigger/ports/log.ts';
import { MemoryLease } from './memory-lease.ts';

type Member = { handler: RecordHandler; consumer: LogConsumer; leases: Map<number, MemoryLease> };

/** A consumer group of one topic: partition p belongs to member p modulo their number, until a test takes it away. */
export class MemoryGroup {
  readonly #members: Member[] = [];
  readonly #offsets: number[];
  #last: Promise<unknown> = Promise.resolve();
  readonly #partitions: LogRecord[][];
  readonly #clock: Clock;

  constructor(partitions: LogRecord[][], clock: Clock) {
    this.#partitions = partitions;
    this.#clock = clock;
    this.#offsets = partitions.map(() => 0);
  }

  /** Resolves when the new member has its partitions. */
  async join(handler: RecordHandler): Promise<LogConsumer> {
    const consumer: LogConsumer = { stop: () => this.#alone(() => this.#leave(consumer)) };
    await this.#alone(async () => {
      this.#members.push({ handler, consumer, leases: new Map() });
      await this.#rebalance();
    });
    return consumer;
  }

  wake(partition: number): void {
    for (const { leases } of this.#members) leases.get(partition)?.wake();
  }

  committed(partition: number): number {
    return this.#offsets[partition] ?? 0;
  }

  /** See MemoryLog.reassign. */
  reassign(partition: number, to: LogConsumer): Promise<void> {
    return this.#alone(async () => {
      const member = this.#members.find(({ consumer }) => consumer === to);
      if (member === undefined) throw new Error('this consumer is not a member of the group');
      if (member.leases.has(partition)) return;
      for (const old of this.#members) {
        const lease = old.leases.get(partition);
        if (lease === undefined) continue;
        old.leases.delete(partition);
        void lease.end('now').then(() => old.handler.revoked([partition])); // L4: told when its batch has ended, as a paused owner is
      }
      await this.#give(member, [partition]);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ consumer }) => consumer.stop()));
  }

  async #leave(consumer: LogConsumer): Promise<void> {
    const index = this.#members.findIndex((member) => member.consumer === consumer);
    const [member] = index === -1 ? [] : this.#members.splice(index, 1);
    if (member === undefined) return;
    await this.#take(member, [...member.leases.keys()]);
    await this.#rebalance();
  }

  async #rebalance(): Promise<void> {
    const count = this.#members.length;
    if (count === 0) return;
    const owned = this.#members.map((_, index) =>
      this.#partitions.flatMap((_, partition) => (partition % count === index ? [partition] : [])),
    );
    await Promise.all(
      this.#members.map((member, index) =>
        this.#take(
          member,
          [...member.leases.keys()].filter((partition) => !owned[index]?.includes(partition)),
        ),
      ),
    );
    for (const [index, member] of this.#members.entries()) {
      const missing = (owned[index] ?? []).filter((partition) => !member.leases.has(partition));
      if (missing.length > 0) await this.#give(member, missing);
    }
  }

  /** Takes partitions back politely: what runs may end and commit. */
  async #take({ leases, handler }: Member, partitions: number[]): Promise<void> {
    if (partitions.length === 0) return;
    await Promise.all(partitions.map((partition) => leases.get(partition)?.end('mayFinish')));
    for (const partition of partitions) leases.delete(partition);
    await handler.revoked(partitions);
  }

  async #give({ leases, handler }: Member, partitions: number[]): Promise<void> {
    await handler.assigned(partitions);
    for (const partition of partitions) {
      const moveOffset = (next: number): void => {
        this.#offsets[partition] = Math.max(next, this.committed(partition));
      };
      const records = this.#partitions[partition] ?? [];
      const lease = new MemoryLease(partition, records, this.committed(partition), handler, moveOffset, this.#clock);
      leases.set(partition, lease);
      lease.wake();
    }
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

import { hash } from 'node:crypto';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Log, LogConsumer, LogRecord, NewRecord, PartitionProgress, RecordHandler } from '@retrigger/ports/log.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import { MemoryGroup } from './memory-group.ts';

/** What a test lets happen to an append: it is rejected, and its records are in the log all the same, or not. */
export type AppendFault = 'rejected-and-kept' | 'rejected-and-lost';

/** The log in memory, for tests: several members of a group, partitions taken away in the middle of a batch, appends that fail. */
export class MemoryLog implements Log {
  /** Asked at every append; undefined lets it succeed. */
  appendFault: (topic: string, records: NewRecord[]) => AppendFault | undefined = () => undefined;
  readonly #topics = new Map<string, LogRecord[][]>();
  readonly #groups = new Map<string, Map<string, MemoryGroup>>();
  #lastAt = 0;
  readonly #clock: Clock;
  readonly #reached: Reached;

  /** `topics`: their partition counts. `reached` is told 'within-emit' after the first of several records of one append. */
  constructor(topics: { [topic: string]: number }, clock: Clock, reached: Reached) {
    this.#clock = clock;
    this.#reached = reached;
    for (const [topic, partitions] of Object.entries(topics)) {
      this.#topics.set(
        topic,
        Array.from({ length: partitions }, () => []),
      );
      this.#groups.set(topic, new Map());
    }
  }

  partitionOf(topic: string, key: string): number {
    return Number.parseInt(hash('sha256', key).slice(0, 8), 16) % this.partitionCount(topic);
  }

  partitionCount(topic: string): number {
    return this.#partitions(topic).length;
  }

  async append(topic: string, records: NewRecord[]): Promise<void> {
    const partitions = this.#partitions(topic);
    const fault = this.appendFault(topic, records);
    if (fault === 'rejected-and-lost') throw new Error('the append was rejected');
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now());
    for (const [index, { key, value, headers }] of records.entries()) {
      const partition = this.partitionOf(topic, key);
      const lane = partitions[partition] ?? [];
      lane.push({ topic, partition, offset: lane.length, at: this.#lastAt, key, value, headers: { ...headers } });
      for (const group of this.#groups.get(topic)?.values() ?? []) group.wake(partition);
      if (index === 0 && records.length > 1) this.#reached('within-emit');
    }
    if (fault === 'rejected-and-kept') throw new Error('the append was rejected, but its records are in the log');
  }

  async consume(topic: string, group: string, handler: RecordHandler): Promise<LogConsumer> {
    return this.#group(topic, group).join(handler);
  }

  /**
   * Gives a partition to another member without asking its owner, whose running batch goes on beside the new owner's; it is told when
   * that has ended, and its commits move nothing any more.
   */
  reassign(topic: string, group: string, partition: number, to: LogConsumer): Promise<void> {
    return this.#group(topic, group).reassign(partition, to);
  }

  async lag(topic: string, group: string): Promise<number> {
    return (await this.progress(topic, group)).reduce((lag, { committed, end }) => lag + end - committed, 0);
  }

  async progress(topic: string, group: string): Promise<PartitionProgress[]> {
    return this.#partitions(topic).map(({ length: end }, partition) => ({
      partition,
      committed: this.committed(topic, group, partition),
      end,
    }));
  }

  /** Everything in a topic, by partition and offset, for checkers. */
  records(topic: string): LogRecord[] {
    return this.#partitions(topic).flat();
  }

  /** The group's committed offset. */
  committed(topic: string, group: string, partition: number): number {
    return this.#group(topic, group).committed(partition);
  }

  async close(): Promise<void> {
    for (const groups of this.#groups.values()) for (const group of groups.values()) await group.stop();
  }

  #partitions(topic: string): LogRecord[][] {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw new Error(`no topic ${topic} in this log`);
    return partitions;
  }

  #group(topic: string, name: string): MemoryGroup {
    const partitions = this.#partitions(topic);
    const groups = this.#groups.get(topic) ?? new Map<string, MemoryGroup>();
    const group = groups.get(name) ?? new MemoryGroup(partitions, this.#clock);
    groups.set(name, group);
    return group;
  }
}

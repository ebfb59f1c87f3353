/**
 * A record to append. Headers are text; `value` is opaque to the log. A header that stands in a record more than once is read as its values joined by a line feed.
 * `keyBytes`: the key of a stranger's record that is no text, whose `key` only looks like it. A log that takes none from strangers may leave it out.
 */
export type NewRecord = { key: string; keyBytes?: Uint8Array; value: Uint8Array; headers: { [name: string]: string } };

/** A record as it stands in the log. `at` is the log's append time in epoch milliseconds, never going back inside a partition. */
export type LogRecord = NewRecord & { topic: string; partition: number; offset: number; at: number };

/**
 * Moves the group's offset of a partition: everything below `next` is finished. It never moves back, and a revoked partition's offset no more moves. Resolves with
 * whether it counted: false = the partition may already be another member's. It may take a while (offsets of one group move together) and is not waited for by
 * whoever has more to do; it does not reject: the log tries again.
 */
export type CommitOffset = (next: number) => Promise<boolean>;

export interface RecordHandler {
  /** These partitions are this member's now; their records follow from the committed offset, from the earliest when there is none. */
  assigned(partitions: number[]): Promise<void>;
  /** These partitions may already be another's. Of a member that stops politely commits still count until this resolves. */
  revoked(partitions: number[]): Promise<void>;
  /**
   * Records of one partition in offset order; the next of that partition come when this resolves. Different partitions run at once.
   * A throw brings the same records again, after a pause, until it doesn't.
   */
  batch(partition: number, records: LogRecord[], commit: CommitOffset): Promise<void>;
}

export interface LogConsumer {
  /** Waits for the running handlers, gives the partitions back (`revoked`), ends. */
  stop(): Promise<void>;
}

/** Where a group stands in one partition: everything below `committed` is finished; the next record appended has the offset `end`. */
export type PartitionProgress = { partition: number; committed: number; end: number };

/**
 * A partitioned, durable log.
 * L1: `append` resolves when its records are durable, and only then may a handler see them; a rejected append may or may not be in the log.
 * L2: records with one key stand in one partition, in the order in which their appends were called and, inside one append, in the order given.
 * L3: offsets grow inside a partition; append time never goes back there.
 * L4: a partition has one owner in a group at a time, as far as the log knows; a paused owner may not know that it lost one.
 * L5: what was not committed is delivered again to the next owner, from the lowest uncommitted offset.
 * Not the log's: knowing what a record means, or whether it was appended twice.
 */
export interface Log {
  append(topic: string, records: NewRecord[]): Promise<void>;
  /** `partitionOf` and the count are fixed for the topic's life. */
  partitionOf(topic: string, key: string): number;
  partitionCount(topic: string): number;
  /** How long what was appended to the partition before has waited for its acknowledgement, in milliseconds. A log without this has nobody to wait for. */
  stuckMs?(topic: string, partition: number): number;
  consume(topic: string, group: string, handler: RecordHandler): Promise<LogConsumer>;
  /** Records not yet committed by the group, over all partitions. */
  lag(topic: string, group: string): Promise<number>;
  /** The same in full, by partition in ascending order. A group that never committed stands at the earliest record. */
  progress(topic: string, group: string): Promise<PartitionProgress[]>;
  close(): Promise<void>;
}

/** A record with its framing fits into this; a topic takes no larger one. */
export const MOST_RECORD_BYTES = 4 * 1024 * 1024;

export const TOPICS = {
  /** Other systems write to it. */
  commands: 'retrigger.commands',
  work: 'retrigger.work',
  events: 'retrigger.events',
  deadLetters: 'retrigger.dead-letters',
} as const;

/** The consumer group that decides the work log. */
export const WORKER_GROUP = 'retrigger.worker';

/** Header of a record of the work log whose command was charged to the limits: how much. */
export const CHARGED_HEADER = 'charged';

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '@retrigger/ports/clock.ts';
import { type LogRecord, type RecordHandler, TOPICS } from '@retrigger/ports/log.ts';
import type { Topic } from './log-lanes.ts';

/** A batch ends at the first of the two. */
const BATCH_RECORDS = 500;
const BATCH_BYTES = 512 * 1024;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a consumer sees of its log. Offsets are by lane. */
export type LogView = {
  committed(lane: number): number | undefined;
  commit(lane: number, next: number): void;
  /** The end of what is durable. */
  end(lane: number): number;
  /** What is remembered of the records from this offset on: none, or the first of them and some that follow. */
  tail(lane: number, offset: number): Iterable<LogRecord>;
};

/** The only member of its group: owns every partition until stopped. Each partition is read when it has grown and nothing of it is running. */
export class SqliteLogConsumer {
  readonly #positions: number[] = [];
  readonly #running = new Map<number, Promise<void>>();
  readonly #pauses = new Set<() => void>();
  readonly #read: StatementSync;
  #state: 'starting' | 'owning' | 'stopping' | 'revoked' = 'starting';
  #stopped: Promise<void> | undefined;
  readonly #topic: Topic;
  readonly #handler: RecordHandler;
  readonly #clock: Clock;
  readonly #view: LogView;

  constructor(db: DatabaseSync, topic: Topic, handler: RecordHandler, clock: Clock, view: LogView) {
    this.#topic = topic;
    this.#handler = handler;
    this.#clock = clock;
    this.#view = view;
    this.#read = db.prepare(
      `SELECT offset, at, key, value, headers FROM records WHERE lane = ? AND offset >= ? ORDER BY offset LIMIT ${BATCH_RECORDS}`,
    );
  }

  async start(): Promise<void> {
    const partitions = this.#partitions();
    for (const partition of partitions) this.#positions[partition] = this.#view.committed(this.#topic.firstLane + partition) ?? 0;
    await this.#handler.assigned(partitions);
    if (this.#state !== 'starting') return;
    this.#state = 'owning';
    for (const partition of partitions) this.#run(partition);
  }

  /** These lanes have grown. */
  wake(lanes: number[]): void {
    if (this.#state !== 'owning') return;
    const { firstLane, partitions } = this.#topic;
    for (const lane of lanes) {
      const partition = lane - firstLane;
      if (partition >= 0 && partition < partitions) this.#run(partition);
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    for (const end of this.#pauses) end();
    await Promise.all(this.#running.values());
    await this.#handler.revoked(this.#partitions()); // what the handler has under way may end and commit
    this.#state = 'revoked';
  }

  #partitions(): number[] {
    return Array.from({ length: this.#topic.partitions }, (_, partition) => partition);
  }

  #run(partition: number): void {
    if (this.#running.has(partition) || !this.#hasMore(partition)) return;
    this.#running.set(partition, this.#drain(partition));
  }

  #hasMore(partition: number): boolean {
    return (this.#positions[partition] ?? 0) < this.#view.end(this.#topic.firstLane + partition);
  }

  async #drain(partition: number): Promise<void> {
    await this.#itsTurn();
    for (;;) {
      const records = this.#state === 'owning' ? this.#next(partition) : [];
      const last = records.at(-1);
      if (last === undefined) break;
      await this.#deliver(partition, records);
      this.#positions[partition] = last.offset + 1;
      if (this.#state !== 'owning' || !this.#hasMore(partition)) break;
      await turn(); // a long backlog leaves turns to everybody else
    }
    this.#running.delete(partition);
  }

  /**
   * C1: whoever appended is told before anybody reads it. C2: commands are taken in the turn of the event loop in which they became durable, so that what they lead
   * to is written in it; whoever reads what was decided comes when that is under way, and works while the disk does.
   */
  async #itsTurn(): Promise<void> {
    if (this.#topic.name === TOPICS.work) return new Promise((resolve) => process.nextTick(resolve));
    await turn();
    await turn();
  }

  /** The handler gets the same records until it takes them. */
  async #deliver(partition: number, records: LogRecord[]): Promise<void> {
    const lane = this.#topic.firstLane + partition;
    const commit = async (next: number): Promise<boolean> => {
      if (this.#state === 'revoked') return false;
      this.#view.commit(lane, next);
      return true;
    };
    for (let pauseMs = FIRST_PAUSE_MS; this.#state === 'owning'; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#handler.batch(partition, records, commit);
      } catch {
        await this.#pause(pauseMs); // the handler tells of its own errors
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#state !== 'owning') return resolve();
      const end = (): void => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel = this.#clock.timer(this.#clock.now() + ms, end);
      this.#pauses.add(end);
    });
  }

  #next(partition: number): LogRecord[] {
    const lane = this.#topic.firstLane + partition;
    const [from, end] = [this.#positions[partition] ?? 0, this.#view.end(lane)];
    const remembered = batchOf(this.#view.tail(lane, from), end);
    return remembered.length > 0 ? remembered : batchOf(this.#stored(partition, lane, from), end);
  }

  *#stored(partition: number, lane: number, from: number): Generator<LogRecord> {
    for (const row of this.#read.iterate(lane, from)) {
      yield {
        topic: this.#topic.name,
        partition,
        offset: Number(row.offset),
        at: Number(row.at),
        key: String(row.key),
        value: row.value as Uint8Array,
        headers: row.headers === null ? {} : JSON.parse(String(row.headers)),
      };
    }
  }
}

/** As many as one batch takes, of those before `end`: what is behind is committed, but not yet durable. */
function batchOf(found: Iterable<LogRecord>, end: number): LogRecord[] {
  const records: LogRecord[] = [];
  let bytes = 0;
  for (const record of found) {
    if (record.offset >= end || records.length === BATCH_RECORDS) break;
    records.push(record);
    bytes += record.value.byteLength;
    if (bytes >= BATCH_BYTES) break;
  }
  return records;
}

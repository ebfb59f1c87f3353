import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '@retrigger/ports/clock.ts';
import type { Log, LogConsumer, NewRecord, PartitionProgress, RecordHandler } from '@retrigger/ports/log.ts';
import type { Reached } from '@retrigger/ports/reached.ts';
import { GroupCommit } from './group-commit.ts';
import { GroupOffsets } from './group-offsets.ts';
import { LaneTails } from './lane-tails.ts';
import { firstIdSince, LaneEnds, LOG_MIGRATIONS, openTopics, type Topic, type TopicMismatch } from './log-lanes.ts';
import { openDatabase } from './open-database.ts';
import { partitionHash } from './partition-hash.ts';
import { SqliteLogConsumer } from './sqlite-log-consumer.ts';
import { type WalSync, walSync } from './wal-sync.ts';

/** After this long without an append, committed offsets are written by themselves. */
const OFFSETS_IDLE_MS = 50;
const TRUNCATE_ROWS = 1_000;

export type OpenedLog = { kind: 'open'; log: SqliteLog } | TopicMismatch;

/**
 * Opens the log's file with these topics and their partition counts. `mismatch`: a topic was made with another count or hash.
 * `reached` is told 'within-emit' after the first of several records of one append.
 */
export function openSqliteLog(
  path: string,
  topics: { [topic: string]: number },
  clock: Clock,
  reached: Reached,
  sync = walSync(path),
): OpenedLog {
  const db = openDatabase(path, LOG_MIGRATIONS);
  const opened = openTopics(db, topics);
  if (opened instanceof Map) return { kind: 'open', log: new SqliteLog(db, sync, opened, clock, reached) };
  db.close();
  return opened;
}

/**
 * The log in one SQLite file, for one process. One group has one consumer, which owns every partition.
 * Appends that wait at the same time share one fsync; committed offsets ride along (see GroupOffsets).
 */
export class SqliteLog implements Log {
  readonly #consumers = new Map<string, SqliteLogConsumer>();
  readonly #ends: LaneEnds;
  readonly #tails = new LaneTails();
  readonly #offsets: GroupOffsets;
  readonly #commit: GroupCommit;
  readonly #insert: StatementSync;
  readonly #lowest: StatementSync;
  #cancelIdleWrite: (() => void) | undefined;
  #closed = false;
  readonly #db: DatabaseSync;
  readonly #topics: Map<string, Topic>;
  readonly #clock: Clock;
  readonly #reached: Reached;

  constructor(db: DatabaseSync, sync: WalSync, topics: Map<string, Topic>, clock: Clock, reached: Reached) {
    this.#db = db;
    this.#topics = topics;
    this.#clock = clock;
    this.#reached = reached;
    this.#ends = new LaneEnds(db, topics.values());
    this.#offsets = new GroupOffsets(db);
    this.#insert = db.prepare('INSERT INTO records (lane, offset, at, key, value, headers) VALUES (?, ?, ?, ?, ?, ?)');
    this.#lowest = db.prepare('SELECT offset FROM records WHERE lane = ? ORDER BY offset LIMIT 1');
    this.#commit = new GroupCommit(db, sync, {
      beforeCommit: () => this.#offsets.write(),
      committed: () => {
        this.#offsets.written();
        this.#tails.committed();
        const durable = this.#ends.committed();
        return () => this.#wake(durable());
      },
      rolledBack: () => {
        this.#ends.rolledBack();
        this.#tails.rolledBack();
      },
    });
  }

  partitionOf(topic: string, key: string): number {
    return partitionHash(key) % this.#topic(topic).partitions;
  }

  partitionCount(topic: string): number {
    return this.#topic(topic).partitions;
  }

  async append(topic: string, records: NewRecord[]): Promise<void> {
    const { partitions, firstLane } = this.#topic(topic);
    if (records.length === 0) return;
    await this.#commit.submit(() => {
      const at = this.#ends.appendTime(this.#clock.now());
      for (const [index, { key, value, headers }] of records.entries()) {
        const partition = partitionHash(key) % partitions;
        const lane = firstLane + partition;
        const offset = this.#ends.take(lane);
        this.#insert.run(lane, offset, at, key, value, headersText(headers));
        this.#tails.write(lane, { topic, partition, offset, at, key, value, headers });
        if (index === 0 && records.length > 1) this.#reached('within-emit');
      }
    });
  }

  /** @throws Error when the group has a consumer already. */
  async consume(topic: string, group: string, handler: RecordHandler): Promise<LogConsumer> {
    const found = this.#topic(topic);
    const name = `${topic}\n${group}`;
    if (this.#consumers.has(name)) throw new Error(`group ${group} has a consumer of ${topic} already`);
    const consumer = new SqliteLogConsumer(this.#db, found, handler, this.#clock, {
      committed: (lane) => this.#offsets.get(topic, group, lane),
      commit: (lane, next) => {
        this.#offsets.commit(topic, group, lane, next);
        this.#writeOffsetsWhenIdle();
      },
      end: (lane) => this.#ends.next(lane),
      tail: (lane, offset) => this.#tails.from(lane, offset),
    });
    this.#consumers.set(name, consumer);
    try {
      await this.#commit.submit(() => this.#offsets.join(topic, group));
      await consumer.start();
    } catch (error) {
      this.#consumers.delete(name);
      throw error;
    }
    return {
      stop: async () => {
        await consumer.stop();
        if (this.#consumers.get(name) === consumer) this.#consumers.delete(name);
        if (this.#offsets.hasUnwritten && !this.#closed) await this.#commit.submit(() => {});
      },
    };
  }

  async lag(topic: string, group: string): Promise<number> {
    return (await this.progress(topic, group)).reduce((lag, { committed, end }) => lag + end - committed, 0);
  }

  async progress(topic: string, group: string): Promise<PartitionProgress[]> {
    return lanesOf(this.#topic(topic)).map((lane, partition) => {
      const end = this.#ends.next(lane);
      return { partition, committed: this.#offsets.get(topic, group, lane) ?? Number(this.#lowest.get(lane)?.offset ?? end), end };
    });
  }

  /**
   * The topic's records that were appended at or after `sinceMs` and have this header, in the order of their appends. Records lie in that order, so only those are
   * read that are young enough: an hour's 486,000, of which 97,000 had the header, took 2 s on a busy machine of two cores.
   */
  *withHeader(topic: string, header: string, sinceMs: number): Generator<{ value: Uint8Array; at: number; header: string }> {
    const { firstLane, partitions } = this.#topic(topic);
    const rows = this.#db.prepare(
      'SELECT at, value, headers FROM records WHERE id >= ? AND lane BETWEEN ? AND ? AND headers LIKE ? AND at >= ? ORDER BY id',
    );
    for (const row of rows.iterate(firstIdSince(this.#db, sinceMs), firstLane, firstLane + partitions - 1, `%"${header}":%`, sinceMs)) {
      const text: unknown = JSON.parse(String(row.headers))[header];
      if (typeof text === 'string') yield { value: row.value as Uint8Array, at: Number(row.at), header: text };
    }
  }

  /**
   * Deletes the topic's records that were appended before `beforeMs` and that every group that ever consumed it has passed; returns how many.
   * Where no group ever did, age alone decides: leave a topic out that waits for its first reader.
   */
  async truncate(topic: string, beforeMs: number): Promise<number> {
    const found = this.#topic(topic);
    let deleted = 0;
    for (const lane of lanesOf(found)) {
      for (let more = true; more; ) {
        const removed = await this.#commit.submit(() => this.#truncateLane(found, lane, beforeMs));
        deleted += removed;
        more = removed === TRUNCATE_ROWS;
      }
    }
    return deleted;
  }

  /** Whether the file takes writes now. */
  isWritable = (): Promise<boolean> => this.#commit.isWritable();

  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.stop()));
    this.#consumers.clear();
    this.#cancelIdleWrite?.();
    if (this.#offsets.hasUnwritten) this.#commit.submit(() => {}).catch(() => {}); // O1
    await this.#commit.close();
    this.#closed = true;
    this.#db.close();
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new Error(`no topic ${name} in this log`);
    return topic;
  }

  #wake(lanes: number[]): void {
    if (lanes.length > 0) for (const consumer of this.#consumers.values()) consumer.wake(lanes);
  }

  #writeOffsetsWhenIdle(): void {
    this.#cancelIdleWrite ??= this.#clock.timer(this.#clock.now() + OFFSETS_IDLE_MS, () => {
      this.#cancelIdleWrite = undefined;
      if (this.#offsets.hasUnwritten && !this.#closed) this.#commit.submit(() => {}).catch(() => this.#writeOffsetsWhenIdle());
    });
  }

  #truncateLane(topic: Topic, lane: number, beforeMs: number): number {
    const passed = this.#offsets.passedByAll(topic, lane) ?? this.#ends.next(lane);
    const oldest = this.#db.prepare('SELECT offset, at FROM records WHERE lane = ? AND offset < ? ORDER BY offset LIMIT ?');
    const rows = oldest.all(lane, passed, TRUNCATE_ROWS);
    const old = rows.findIndex(({ at }) => Number(at) >= beforeMs);
    const count = old === -1 ? rows.length : old;
    const last = rows[count - 1];
    if (last === undefined) return 0;
    const { next, at } = { next: this.#ends.next(lane), at: this.#ends.appendTime(0) }; // P2
    this.#db
      .prepare('INSERT INTO lanes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next, at = excluded.at')
      .run(lane, next, at);
    this.#db.prepare('DELETE FROM records WHERE lane = ? AND offset <= ?').run(lane, Number(last.offset));
    this.#tails.forget(lane, Number(last.offset));
    return count;
  }
}

const lanesOf = ({ firstLane, partitions }: Topic): number[] => Array.from({ length: partitions }, (_, partition) => firstLane + partition);

/** Null for none: most follow-up records have no headers. */
function headersText(headers: NewRecord['headers']): string | null {
  for (const _ in headers) return JSON.stringify(headers);
  return null;
}

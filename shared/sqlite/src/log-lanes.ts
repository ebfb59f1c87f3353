import type { DatabaseSync } from 'node:sqlite';
import { PARTITION_HASH } from './partition-hash.ts';

/**
 * A lane is one partition of one topic, numbered over the whole file. Records stand in append order (cheapest to write: measured twice
 * as fast as a table clustered by lane) and are found through the index on lane and offset.
 */
export const LOG_MIGRATIONS = [
  `CREATE TABLE topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL, hash TEXT NOT NULL, first_lane INTEGER NOT NULL UNIQUE) STRICT;
   CREATE TABLE lanes (lane INTEGER PRIMARY KEY, next INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
   CREATE TABLE records (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, offset INTEGER NOT NULL, at INTEGER NOT NULL,
     key TEXT NOT NULL, value BLOB NOT NULL, headers TEXT) STRICT;
   CREATE UNIQUE INDEX records_by_lane ON records (lane, offset);
   CREATE TABLE groups (group_id INTEGER PRIMARY KEY, topic TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (topic, name)) STRICT;
   CREATE TABLE offsets (group_id INTEGER NOT NULL REFERENCES groups, lane INTEGER NOT NULL, next INTEGER NOT NULL,
     PRIMARY KEY (group_id, lane)) STRICT, WITHOUT ROWID;`,
];

export type Topic = { name: string; partitions: number; firstLane: number };

/** How a topic was made, or is wanted. */
export type TopicShape = { partitions: number; hash: string };

export type TopicMismatch = { kind: 'mismatch'; topic: string; stored: TopicShape; wanted: TopicShape };

/** The topics, made where missing. P1: partition count and hash of a topic never change. */
export function openTopics(db: DatabaseSync, wanted: { [topic: string]: number }): Map<string, Topic> | TopicMismatch {
  const topics = new Map<string, Topic>();
  const find = db.prepare('SELECT partitions, hash, first_lane FROM topics WHERE topic = ?');
  const firstFree = db.prepare('SELECT coalesce(max(first_lane + partitions), 0) AS lane FROM topics');
  for (const [name, partitions] of Object.entries(wanted)) {
    const stored = find.get(name);
    if (stored === undefined) {
      const firstLane = Number(firstFree.get()?.lane);
      db.prepare('INSERT INTO topics VALUES (?, ?, ?, ?)').run(name, partitions, PARTITION_HASH, firstLane);
      topics.set(name, { name, partitions, firstLane });
      continue;
    }
    const shape = { partitions: Number(stored.partitions), hash: String(stored.hash) };
    if (shape.partitions !== partitions || shape.hash !== PARTITION_HASH) {
      return { kind: 'mismatch', topic: name, stored: shape, wanted: { partitions, hash: PARTITION_HASH } }; // P1
    }
    topics.set(name, { name, partitions, firstLane: Number(stored.first_lane) });
  }
  return topics;
}

/**
 * The next offset of every lane and the time of the last append.
 * P2: offsets and append times go on where they were, also when the last records have been deleted.
 */
export class LaneEnds {
  readonly #written: number[] = [];
  readonly #committed: number[] = [];
  readonly #durable: number[] = [];
  readonly #touched = new Set<number>();
  #lastAt = 0;

  constructor(db: DatabaseSync, topics: Iterable<Topic>) {
    const last = db.prepare('SELECT offset + 1 AS next, at FROM records WHERE lane = ? ORDER BY offset DESC LIMIT 1');
    const floor = db.prepare('SELECT next, at FROM lanes WHERE lane = ?');
    for (const { firstLane, partitions } of topics) {
      for (let lane = firstLane; lane < firstLane + partitions; lane++) {
        const ends = [last.get(lane), floor.get(lane)]; // P2
        const next = Math.max(...ends.map((end) => Number(end?.next ?? 0)));
        this.#written[lane] = next;
        this.#committed[lane] = next;
        this.#durable[lane] = next;
        this.#lastAt = Math.max(this.#lastAt, ...ends.map((end) => Number(end?.at ?? 0)));
      }
    }
  }

  /** The time of an append: the clock's, but never before an earlier append's. */
  appendTime(now: number): number {
    this.#lastAt = Math.max(this.#lastAt, now);
    return this.#lastAt;
  }

  /** Gives a lane's next offset away, inside a transaction. */
  take(lane: number): number {
    const offset = this.#written[lane] ?? 0;
    this.#written[lane] = offset + 1;
    this.#touched.add(lane);
    return offset;
  }

  /** The end of what is durable. */
  next(lane: number): number {
    return this.#durable[lane] ?? 0;
  }

  /** What was taken is committed. Returns what to call when that is durable; it names the lanes that have grown. */
  committed(): () => number[] {
    const grown = [...this.#touched].map((lane) => [lane, this.#written[lane] ?? 0] as const);
    for (const [lane, next] of grown) this.#committed[lane] = next;
    this.#touched.clear();
    return () => {
      for (const [lane, next] of grown) this.#durable[lane] = next;
      return grown.map(([lane]) => lane);
    };
  }

  rolledBack(): void {
    for (const lane of this.#touched) this.#written[lane] = this.#committed[lane] ?? 0;
    this.#touched.clear();
  }
}

/** The id of a record before which all were appended before `sinceMs`: ids and append times grow together. */
export function firstIdSince(db: DatabaseSync, sinceMs: number): number {
  const { low, high } = db.prepare('SELECT coalesce(min(id), 0) AS low, coalesce(max(id), 0) + 1 AS high FROM records').get() ?? {};
  const at = db.prepare('SELECT at FROM records WHERE id >= ? ORDER BY id LIMIT 1');
  let [from, to] = [Number(low), Number(high)];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (Number(at.get(middle)?.at ?? sinceMs) < sinceMs) from = middle + 1;
    else to = middle;
  }
  return from;
}

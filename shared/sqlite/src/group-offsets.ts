import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Topic } from './log-lanes.ts';

/**
 * How far each group has come in each lane. Kept in memory and written with the log's next transaction:
 * O1: a lost commit means redelivery, never a skipped record. O2: an offset never goes back.
 */
export class GroupOffsets {
  readonly #byGroup = new Map<number, Map<number, number>>();
  readonly #groupIds = new Map<string, number>();
  readonly #unwritten = new Map<number, Set<number>>();
  readonly #write: StatementSync;
  readonly #insertGroup: StatementSync;
  readonly #findGroup: StatementSync;

  constructor(db: DatabaseSync) {
    this.#write = db.prepare('INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next');
    this.#insertGroup = db.prepare('INSERT INTO groups (topic, name) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#findGroup = db.prepare('SELECT group_id FROM groups WHERE topic = ? AND name = ?');
    for (const { group_id, topic, name } of db.prepare('SELECT group_id, topic, name FROM groups').all()) {
      this.#know(String(topic), String(name), Number(group_id));
    }
    for (const { group_id, lane, next } of db.prepare('SELECT group_id, lane, next FROM offsets').all()) {
      this.#byGroup.get(Number(group_id))?.set(Number(lane), Number(next));
    }
  }

  /** Remembers, inside a transaction, that the group consumes the topic. From then on nothing is deleted that it has not passed. */
  join(topic: string, group: string): void {
    this.#insertGroup.run(topic, group);
    this.#know(topic, group, Number(this.#findGroup.get(topic, group)?.group_id));
  }

  /** Undefined when nothing was committed yet. */
  get(topic: string, group: string, lane: number): number | undefined {
    return this.#byGroup.get(this.#groupIds.get(`${topic}\n${group}`) ?? -1)?.get(lane);
  }

  commit(topic: string, group: string, lane: number, next: number): void {
    const id = this.#groupIds.get(`${topic}\n${group}`);
    const offsets = id === undefined ? undefined : this.#byGroup.get(id);
    if (id === undefined || offsets === undefined || next <= (offsets.get(lane) ?? 0)) return; // O2
    offsets.set(lane, next);
    const lanes = this.#unwritten.get(id);
    if (lanes === undefined) this.#unwritten.set(id, new Set([lane]));
    else lanes.add(lane);
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Inside a transaction; `written` follows when it is durable. */
  write(): void {
    for (const [id, lanes] of this.#unwritten) {
      for (const lane of lanes) this.#write.run(id, lane, this.#byGroup.get(id)?.get(lane) ?? 0);
    }
  }

  written(): void {
    this.#unwritten.clear();
  }

  /** The offset below which every group that ever consumed the topic has finished; null when none ever did. */
  passedByAll({ name }: Topic, lane: number): number | null {
    let lowest: number | null = null;
    for (const [group, id] of this.#groupIds) {
      if (group.startsWith(`${name}\n`)) lowest = Math.min(lowest ?? Number.MAX_SAFE_INTEGER, this.#byGroup.get(id)?.get(lane) ?? 0);
    }
    return lowest;
  }

  #know(topic: string, group: string, id: number): void {
    this.#groupIds.set(`${topic}\n${group}`, id);
    if (!this.#byGroup.has(id)) this.#byGroup.set(id, new Map());
  }
}

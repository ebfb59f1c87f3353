import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Reached } from '@retrigger/ports/reached.ts';
import { RECEIPT_LIFE_MS, type Receipt, type ReceiptStore } from '@retrigger/ports/receipt-store.ts';
import type { GroupCommit } from './group-commit.ts';

export const RECEIPTS_SCHEMA = `
  CREATE TABLE receipts (command_id TEXT PRIMARY KEY, partition INTEGER NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX receipts_by_age ON receipts (partition, at);`;

/**
 * In the order of their arrival, like events: command ids have none, so a table clustered by them writes a page for every receipt (measured: 13 µs of processor time a
 * receipt in transactions of 20, in this form 4). The age's index has no partition in front, for the same reason: what is written together stands together.
 */
export const RECEIPTS_BY_ARRIVAL = `
  ALTER TABLE receipts RENAME TO receipts_by_id;
  DROP INDEX receipts_by_age;
  CREATE TABLE receipts (id INTEGER PRIMARY KEY, command_id TEXT NOT NULL UNIQUE, partition INTEGER NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL) STRICT;
  INSERT INTO receipts (command_id, partition, at, json) SELECT command_id, partition, at, json FROM receipts_by_id ORDER BY at;
  DROP TABLE receipts_by_id;
  CREATE INDEX receipts_by_age ON receipts (at, partition);`;

/** Receipts deleted in one transaction. */
const SWEEP_ROWS = 1_000;

export class SqliteReceiptStore implements ReceiptStore {
  readonly #insert: StatementSync;
  readonly #find: StatementSync;
  /** Of several, which is half as dear as one by one: a claim asks for as many as it has room for. */
  readonly #findAll: StatementSync;
  readonly #sweep: StatementSync;
  readonly #commit: GroupCommit;
  readonly #reached: Reached;

  constructor(db: DatabaseSync, commit: GroupCommit, reached: Reached) {
    this.#commit = commit;
    this.#reached = reached;
    // R1
    this.#insert = db.prepare(
      `INSERT INTO receipts (command_id, partition, at, json) VALUES (?, ?, ?, ?) ON CONFLICT (command_id) DO UPDATE
       SET partition = excluded.partition, at = excluded.at, json = excluded.json WHERE excluded.at >= receipts.at + ${RECEIPT_LIFE_MS}`,
    );
    this.#find = db.prepare('SELECT command_id, json FROM receipts WHERE command_id = ?');
    this.#findAll = db.prepare('SELECT command_id, json FROM receipts WHERE command_id IN (SELECT value FROM json_each(?))');
    this.#sweep = db.prepare(
      `DELETE FROM receipts WHERE id IN (SELECT id FROM receipts WHERE at >= ? AND at < ? AND partition = ? ORDER BY at LIMIT ${SWEEP_ROWS}) RETURNING at`,
    );
  }

  async put(receipts: Receipt[]): Promise<void> {
    await this.#commit.submit(() => this.putInTransaction(receipts)); // R2
  }

  /** The same, inside a transaction that is open. */
  putInTransaction(receipts: Receipt[]): void {
    for (const [index, receipt] of receipts.entries()) {
      this.#insert.run(receipt.commandId, receipt.position.partition, receipt.position.at, JSON.stringify(receipt));
      if (index === 0 && receipts.length > 1) this.#reached('within-receipts');
    }
  }

  async load(commandIds: string[]): Promise<Map<string, Receipt>> {
    const [first, ...others] = commandIds;
    if (first === undefined) return new Map();
    const rows = others.length === 0 ? this.#find.all(first) : this.#findAll.all(JSON.stringify(commandIds));
    return new Map(rows.map(({ command_id, json }) => [String(command_id), JSON.parse(String(json))]));
  }

  async sweep(partition: number, before: number): Promise<number> {
    let [swept, from] = [0, Number.MIN_SAFE_INTEGER];
    for (;;) {
      const removed = await this.#commit.submit(() => this.#sweep.all(from, before, partition).map(({ at }) => Number(at)));
      swept += removed.length;
      if (removed.length < SWEEP_ROWS) return swept;
      from = Math.max(...removed); // those of other partitions are walked over once
    }
  }
}

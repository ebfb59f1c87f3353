import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { KeyRecord, KeyStore } from '@retrigger/ports/key-store.ts';
import { GroupCommit } from './group-commit.ts';
import { openErasableDatabase } from './open-database.ts';

const KEYS_MIGRATIONS = [
  'CREATE TABLE keys (id TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, secret TEXT NOT NULL) STRICT, WITHOUT ROWID;',
];

/** A COMMIT of this file is durable by itself. */
const NO_SYNC = { start: async () => {}, calm: () => undefined, now() {}, close() {} };

/**
 * Keys in a file of their own. K3: what is deleted is overwritten with zeros in the same transaction, and the rollback journal, which holds the pages as they
 * were, is gone when that is committed: a write-ahead log would keep them until it is next overwritten.
 */
export class SqliteKeyStore implements KeyStore {
  readonly #db: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #insert: StatementSync;
  readonly #byId: StatementSync;
  readonly #byToken: StatementSync;
  readonly #delete: StatementSync;

  constructor(path: string) {
    this.#db = openErasableDatabase(path, KEYS_MIGRATIONS);
    this.#commit = new GroupCommit(this.#db, NO_SYNC);
    this.#insert = this.#db.prepare('INSERT INTO keys (id, token, secret) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING'); // K1
    this.#byId = this.#db.prepare('SELECT id, token, secret FROM keys WHERE id = ?');
    this.#byToken = this.#db.prepare('SELECT id, token, secret FROM keys WHERE token = ?');
    this.#delete = this.#db.prepare('DELETE FROM keys WHERE token = ?');
  }

  async obtain({ id, token, secret }: KeyRecord): Promise<KeyRecord> {
    return this.#commit.submit(() => {
      this.#insert.run(id, token, secret);
      return recordOf(this.#byId.get(id)) ?? { id, token, secret };
    });
  }

  async find(id: string): Promise<KeyRecord | undefined> {
    return recordOf(this.#byId.get(id));
  }

  async byTokens(tokens: string[]): Promise<Map<string, KeyRecord>> {
    const found = new Map<string, KeyRecord>();
    for (const token of tokens) {
      const record = recordOf(this.#byToken.get(token));
      if (record !== undefined) found.set(token, record);
    }
    return found;
  }

  async destroy(token: string): Promise<void> {
    await this.#commit.submit(() => {
      this.#delete.run(token);
    });
  }

  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    await this.#commit.close();
    this.#db.close();
  }
}

const recordOf = (row: Record<string, SQLOutputValue> | undefined): KeyRecord | undefined =>
  row && { id: String(row.id), token: String(row.token), secret: String(row.secret) };

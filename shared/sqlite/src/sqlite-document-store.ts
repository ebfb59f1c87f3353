import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Document, DocumentPlace, DocumentStore } from '@retrigger/ports/document-store.ts';
import type { GroupCommit } from './group-commit.ts';

export const DOCUMENTS_SCHEMA = `
  CREATE TABLE documents (
    kind TEXT NOT NULL, tenant_id TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, tenant_id, id)
  ) STRICT, WITHOUT ROWID;`;

type Row = { kind: string; tenant_id: string; id: string; version: number; body: string };

/** So many lists are remembered to be empty. */
const MOST_EMPTY = 10_000;

/** D0: one process owns the file, so a list that was found empty is until something is written into it. Most tenants have none of most things that are asked for often. */
export class SqliteDocumentStore implements DocumentStore {
  readonly #empty = new Set<string>();
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #find: StatementSync;
  readonly #list: StatementSync;
  readonly #listAll: StatementSync;
  readonly #remove: StatementSync;
  readonly #commit: GroupCommit;

  constructor(db: DatabaseSync, commit: GroupCommit) {
    this.#commit = commit;
    this.#insert = db.prepare('INSERT INTO documents VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING');
    this.#update = db.prepare(
      'UPDATE documents SET version = version + 1, body = ? WHERE kind = ? AND tenant_id = ? AND id = ? AND version = ?',
    );
    this.#find = db.prepare('SELECT * FROM documents WHERE kind = ? AND tenant_id = ? AND id = ?');
    this.#list = db.prepare('SELECT * FROM documents WHERE kind = ? AND tenant_id = ? AND id > ? ORDER BY id LIMIT ?');
    this.#listAll = db.prepare('SELECT * FROM documents WHERE kind = ? AND (tenant_id, id) > (?, ?) ORDER BY tenant_id, id LIMIT ?');
    this.#remove = db.prepare('DELETE FROM documents WHERE kind = ? AND tenant_id = ? AND id = ?');
  }

  write(document: Document): Promise<'written' | 'conflict'> {
    const json = JSON.stringify(document.body);
    return this.#commit.submit(() => this.#write(document, json));
  }

  /** D3: in one transaction. */
  make(documents: Document[]): Promise<('written' | 'conflict')[]> {
    const made = documents.map((document) => ({ document, json: JSON.stringify(document.body) }));
    return this.#commit.submit(() => made.map(({ document, json }) => this.#write(document, json)));
  }

  #write({ kind, tenantId, id, version }: Document, json: string): 'written' | 'conflict' {
    this.#empty.delete(`${kind}/${tenantId}`); // D0
    const { changes } =
      version === 1 ? this.#insert.run(kind, tenantId, id, json) : this.#update.run(json, kind, tenantId, id, version - 1); // D1
    return Number(changes) === 1 ? 'written' : 'conflict';
  }

  async read(kind: string, tenantId: string, id: string): Promise<Document | undefined> {
    const row = this.#find.get(kind, tenantId, id);
    return row === undefined ? undefined : documentOf(row as Row);
  }

  async list(kind: string, tenantId: string, after: string | null, limit: number): Promise<Document[]> {
    if (this.#empty.has(`${kind}/${tenantId}`)) return [];
    const found = (this.#list.all(kind, tenantId, after ?? '', limit) as Row[]).map(documentOf);
    if (found.length === 0 && after === null && limit > 0) this.#foundEmpty(`${kind}/${tenantId}`);
    return found;
  }

  #foundEmpty(list: string): void {
    if (this.#empty.size >= MOST_EMPTY) this.#empty.clear();
    this.#empty.add(list);
  }

  async listAll(kind: string, after: DocumentPlace | null, limit: number): Promise<Document[]> {
    return (this.#listAll.all(kind, after?.tenantId ?? '', after?.id ?? '', limit) as Row[]).map(documentOf);
  }

  async remove(kind: string, tenantId: string, id: string): Promise<boolean> {
    return (await this.#commit.submit(() => Number(this.#remove.run(kind, tenantId, id).changes))) === 1;
  }
}

const documentOf = ({ kind, tenant_id: tenantId, id, version, body }: Row): Document => ({
  ...{ kind, tenantId, id, version: Number(version) },
  body: JSON.parse(body),
});

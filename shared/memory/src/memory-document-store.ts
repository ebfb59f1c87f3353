import type { Document, DocumentPlace, DocumentStore } from '@retrigger/ports/document-store.ts';

/** Documents in memory, for tests. What is read is a copy. */
export class MemoryDocumentStore implements DocumentStore {
  readonly #documents = new Map<string, Document>();

  async write(document: Document): Promise<'written' | 'conflict'> {
    const name = nameOf(document.kind, document.tenantId, document.id);
    if ((this.#documents.get(name)?.version ?? 0) !== document.version - 1) return 'conflict'; // D1
    this.#documents.set(name, structuredClone(document));
    return 'written';
  }

  /** D3: all in one turn. */
  async make(documents: Document[]): Promise<('written' | 'conflict')[]> {
    return Promise.all(documents.map((document) => this.write(document)));
  }

  async read(kind: string, tenantId: string, id: string): Promise<Document | undefined> {
    return structuredClone(this.#documents.get(nameOf(kind, tenantId, id)));
  }

  async list(kind: string, tenantId: string, after: string | null, limit: number): Promise<Document[]> {
    const all = this.#of(kind).filter((one) => one.tenantId === tenantId && (after === null || one.id > after));
    return structuredClone(all.slice(0, limit));
  }

  async listAll(kind: string, after: DocumentPlace | null, limit: number): Promise<Document[]> {
    const all = this.#of(kind).filter(
      ({ tenantId, id }) => after === null || tenantId > after.tenantId || (tenantId === after.tenantId && id > after.id),
    );
    return structuredClone(all.slice(0, limit));
  }

  async remove(kind: string, tenantId: string, id: string): Promise<boolean> {
    return this.#documents.delete(nameOf(kind, tenantId, id));
  }

  #of(kind: string): Document[] {
    return [...this.#documents.values()]
      .filter((one) => one.kind === kind)
      .sort((a, b) => (a.tenantId === b.tenantId ? (a.id < b.id ? -1 : 1) : a.tenantId < b.tenantId ? -1 : 1));
  }
}

const nameOf = (kind: string, tenantId: string, id: string): string => `${kind}/${tenantId}/${id}`;
